import Foundation
import Tensors

/// A mode where an incident energy sees it, in the plane of the image.
struct DetectorLine {
    var setting: Int
    /// Index of the domain.
    var twin: Int
    /// Position along the image's axes.
    var h: Double
    var k: Double
    /// meV
    var energy: Double
    /// ∂E/∂h and ∂E/∂k, meV per image r.l.u., along the detectors' path, in the domain's own axes.
    var slope: SIMD2<Double>
    /// Intensity of the point's cell over the area of a pixel, divided by the bin's width where values are per meV.
    var weight: Double
    /// Variance of the energy besides the resolution's, meV²: a mode that disperses along a range of l.
    var spread: Double
    /// Names the grid point and its zone, and the mode and its crossing: what random numbers of this line are addressed by, with
    /// `setting` and `twin`.
    var address: SIMD2<Int>
}

/// The modes one by one, straight from the equations of `DetectorImage`: what the reference, the Monte Carlo and the published
/// method spread each in its way.
extension DetectorImage {
    /// Calls `body` for each mode of each grid point in each zone near the image, for each setting and domain that sees it.
    ///
    /// - Parameter reach: leaves out modes whose cell lies further from the energy bins than this many of the setting's largest
    ///   standard deviations.
    func forEachLine(
        of modes: ZoneModes, within reach: Double = .infinity, _ body: (DetectorLine) -> Void
    ) {
        let spread = spreadOnImage(of: modes)
        let widest =
            resolution.grids.flatMap { grid in
                stride(from: 0, to: grid.covariances.count, by: 6).map {
                    max(grid.covariances[$0], grid.covariances[$0 + 2])
                }
            }.max() ?? 0
        let margin = 6 * (widest + spread.x + spread.y).squareRoot()
        let range = ownRange(margin: (margin, margin))
        let (n1, n2, n3) = (modes.grid[0], modes.grid[1], modes.grid[2])
        for h1 in Int((range.h.lowerBound * Double(n1)).rounded(.down))...Int(range.h.upperBound * Double(n1)) + 1 {
            for k1 in Int((range.k.lowerBound * Double(n2)).rounded(.down))...Int(range.k.upperBound * Double(n2)) + 1 {
                for l1 in 0..<n3 {
                    let point = (h1.modulo(n1) * n2 + k1.modulo(n2)) * n3 + l1
                    // 21 bits each, with room for zones on both sides.
                    let place = (h1 + 1 << 20) << 42 | (k1 + 1 << 20) << 21 | l1
                    lines(
                        modes, point: point, place: place, h: Double(h1) / Double(n1), k: Double(k1) / Double(n2),
                        l: Double(l1) / Double(n3), reach: reach, body)
                }
            }
        }
    }

    /// One grid point in one zone, (h, k, l) in magnetic r.l.u.
    private func lines(
        _ modes: ZoneModes, point: Int, place: Int, h: Double, k: Double, l: Double, reach: Double,
        _ body: (DetectorLine) -> Void
    ) {
        let scale = geometry.magneticScale
        let (imageH, imageK) = (h / scale[0], k / scale[1])
        for setting in geometry.settings.indices {
            let incident = geometry.settings[setting].incidentEnergy
            for mode in 0..<modes.energies.shape[1] {
                let energy = modes.energies.elements[point * modes.energies.shape[1] + mode]
                guard energy > 0 else { continue }
                let v = (0..<3).map {
                    Double(modes.velocities.elements[(point * modes.energies.shape[1] + mode) * 3 + $0])
                }
                let slope = SIMD2(v[0] * scale[0], v[1] * scale[1])
                let found = crossings(
                    incident: incident, energy: energy, slope: slope, alongL: v[2], h: imageH, k: imageK, l: l,
                    points: modes.grid[2])
                for (number, crossing) in found.enumerated() {
                    if reach < .infinity {
                        let extent = cellVariances(of: modes)
                        let slack =
                            reach * settings[setting].largestSigma.energy + (3 * crossing.spread).squareRoot()
                            + abs(crossing.slope.x) * (3 * extent.x).squareRoot()
                            + abs(crossing.slope.y) * (3 * extent.y).squareRoot()
                        let first = geometry.firstBinEdge(setting: setting)
                        let last = first + geometry.binWidth(setting: setting) * Double(geometry.energyBins.count)
                        if crossing.energy + slack < first || crossing.energy - slack > last { continue }
                    }
                    let q = (h, k, crossing.l * scale[2])
                    var weight = perpendicularIntensity(modes, point: point, mode: mode, q: q) * crossing.weight
                    if options.fluxRatio { weight *= (1 - crossing.energy / incident).squareRoot() }
                    if options.temperature > 0 {
                        weight /= 1 - exp(-crossing.energy / (Neutron.boltzmann * options.temperature))
                    }
                    weight *= cellWeight(of: modes) / energyDivisor(setting: setting)
                    for twin in twins.indices {
                        let m = imageMap(of: twins[twin])
                        body(
                            DetectorLine(
                                setting: setting, twin: twin, h: m.0 * imageH + m.1 * imageK,
                                k: m.2 * imageH + m.3 * imageK, energy: crossing.energy, slope: crossing.slope,
                                weight: weight, spread: crossing.spread,
                                address: SIMD2(place, number << 16 | mode)))
                    }
                }
            }
        }
    }

    private struct Crossing {
        /// r.l.u. of the image
        var l: Double
        var energy: Double
        /// ∂E/∂h and ∂E/∂k, meV per image r.l.u., along the detectors' path.
        var slope: SIMD2<Double>
        var weight: Double
        /// Variance of the energy, meV².
        var spread = 0.0
    }

    /// What a crystal that turns shows of a mode over the range of l: the part of the grid point's cell that lies in it, in each
    /// zone, or, without dispersion along l, every layer.
    private func layers(
        _ range: ClosedRange<Double>, _ count: Int, incident: Double, energy: Double, slope: SIMD2<Double>,
        alongL v: Double,
        h: Double, k: Double, l: Double, points: Int
    ) -> [Crossing] {
        let scale = geometry.magneticScale[2]
        let (low, high) = (range.lowerBound * scale, range.upperBound * scale)
        var found: [Crossing] = []
        func add(_ from: Double, _ to: Double, centre: Double, v: Double) {
            guard to > from else { return }
            let middle = (from + to) / 2
            let crossing = Crossing(
                l: middle / scale, energy: energy + v * (middle - centre), slope: slope,
                weight: (to - from) / (high - low), spread: v * v * (to - from) * (to - from) / 12)
            let qz = 2 * Double.pi * crossing.l / geometry.lattice[2]
            let square = geometry.inPlaneSquared(h: h, k: k) + qz * qz
            if crossing.energy > 0,
                Neutron.reaches(squaredWavevector: square, incidentEnergy: incident, energy: crossing.energy)
            {
                found.append(crossing)
            }
        }
        if points == 1 {
            let step = (high - low) / Double(count)
            for layer in 0..<count {
                let from = low + Double(layer) * step
                add(from, from + step, centre: from + step / 2, v: 0)
            }
            return found
        }
        let half = 0.5 / Double(points)
        for zone in Int((low - l - half).rounded(.down))...Int((high - l + half).rounded(.up)) {
            let centre = l + Double(zone)
            add(max(low, centre - half), min(high, centre + half), centre: centre, v: v)
        }
        return found
    }

    /// Where the path l(E) of the detectors meets the mode near the grid point's l and its repetitions.
    private func crossings(
        incident: Double, energy: Double, slope: SIMD2<Double>, alongL v: Double, h: Double, k: Double, l: Double,
        points: Int
    ) -> [Crossing] {
        if case .rotation(let range, let count) = geometry.scan {
            return layers(
                range, count, incident: incident, energy: energy, slope: slope, alongL: v, h: h, k: k, l: l,
                points: points)
        }
        guard let seen = geometry.l(incidentEnergy: incident, energy: energy, h: h, k: k) else { return [] }
        if points == 1 { return [Crossing(l: seen, energy: energy, slope: slope, weight: 1)] }
        let scale = geometry.magneticScale[2]
        let c = geometry.lattice[2] * scale / (2 * Double.pi)
        let along = Neutron.wavevector(energy: incident) - seen * scale / c
        let path = c / (2 * Neutron.energyPerWavevectorSquared * along)
        let d = 1 - path * v
        let size = max(abs(d), 0.05) * (d < 0 ? -1 : 1)
        let x =
            SIMD2(h, k)
            * SIMD2(
                pow(2 * Double.pi / geometry.lattice[0], 2), pow(2 * Double.pi / geometry.lattice[1], 2))
        var found: [Crossing] = []
        for zone in Int((seen * scale - l - 3).rounded(.down))...Int((seen * scale - l + 3).rounded(.up)) {
            let offset = (seen * scale - l - Double(zone)) / size
            let weight = (1 - abs(offset) * Double(points)) / abs(size)
            if weight <= 0 { continue }
            found.append(
                Crossing(
                    l: seen + path * v * offset / scale, energy: energy + v * offset,
                    slope: (slope + x * (v * c / along)) / size, weight: weight))
        }
        return found
    }

    /// S⊥ = |F|² − |Q̂·F|² at Q in magnetic r.l.u.
    private func perpendicularIntensity(
        _ modes: ZoneModes, point: Int, mode: Int, q: (Double, Double, Double)
    ) -> Double {
        let turn = 2 * Double.pi
        let Q = SIMD3(q.0 / modes.lattice[0], q.1 / modes.lattice[1], q.2 / modes.lattice[2]) * turn
        let square = (Q * Q).sum()
        let s2 = square / (16 * Double.pi * Double.pi)
        var real = SIMD3<Double>.zero
        var imaginary = SIMD3<Double>.zero
        for (index, site) in modes.sites.enumerated() {
            let f = modes.formFactors[site.ion].coefficients
            let form = f[0] * exp(-f[1] * s2) + f[2] * exp(-f[3] * s2) + f[4] * exp(-f[5] * s2) + f[6]
            let angle = -turn * (q.0 * site.position.x + q.1 * site.position.y + q.2 * site.position.z)
            for component in 0..<2 {
                let at = (((point * modes.energies.shape[1] + mode) * modes.sites.count + index) * 2 + component) * 2
                let (a, b) = (Double(modes.amplitudes.elements[at]), Double(modes.amplitudes.elements[at + 1]))
                real += site.frame[component] * (form * (cos(angle) * a - sin(angle) * b))
                imaginary += site.frame[component] * (form * (cos(angle) * b + sin(angle) * a))
            }
        }
        let along = square > 0 ? (pow((real * Q).sum(), 2) + pow((imaginary * Q).sum(), 2)) / square : 0
        return (real * real).sum() + (imaginary * imaginary).sum() - along
    }
}

extension Int {
    /// Remainder from 0 to n − 1, for negative numbers too.
    fileprivate func modulo(_ n: Int) -> Int { ((self % n) + n) % n }
}
