import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Images of a crystal held in any way")
struct VolumeImageTests {
    private func general(_ geometry: ImageGeometry) throws -> ImageGeometry {
        var general = geometry
        general.volume = geometry.equivalentVolume
        general.scan = .fixed
        general.projection = [1, 0, 0, 1]
        try general.validate()
        return general
    }

    private func geometry(_ scan: ImageGeometry.Scan, _ projection: [Double]) throws -> ImageGeometry {
        var geometry = try SmallCases.geometry()
        geometry.scan = scan
        geometry.projection = projection
        try geometry.validate()
        return geometry
    }

    private static let cases: [(ImageGeometry.Scan, Bool)] = [
        (.fixed, false), (.fixed, true), (.rotation(l: -0.3...0.5, layers: 5), false),
        // Off the cells' edges, where rounding would decide which has a sliver of no weight.
        (.rotation(l: 0.12...0.83, layers: 1), true),
    ]

    /// Every line of the general code is one of the special code's: place, energy and spread of its cell to rounding, and so is the
    /// sum of what lies on the image. 1e-12 is some thousand roundings of numbers of order 1 to 60.
    @Test("the general lines are those of c* along the beam and of c* upright to 1e-12", arguments: [0, 1, 2, 3])
    func lines(of index: Int) throws {
        let (scan, disperses) = Self.cases[index]
        let modes = try disperses ? SmallCases.modes(4, 4, 5, alongL: 1.5) : SmallCases.modes(6, 5)
        for projection in [[1.0, 0, 0, 1], [0.5, 0.2, 0, 1.5]] {
            let twins = try [Twin.identity, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])]
            let special = try DetectorImage(
                geometry: geometry(scan, projection), resolution: SmallCases.resolution(), twins: twins)
            let image = try DetectorImage(
                geometry: general(special.geometry), resolution: SmallCases.resolution(), twins: twins)
            for twin in twins.indices {
                var known: [[Int]: [DetectorLine]] = [:]
                func key(_ setting: Int, _ x: Double, _ y: Double, _ energy: Double, _ shift: Int) -> [Int] {
                    let offset = 0.25 + 0.5 * Double(shift)
                    return [setting] + [x, y, energy].map { Int(($0 * 1e8 + offset).rounded(.down)) }
                }
                var sums = (0.0, 0.0)
                func isOn(_ x: Double, _ y: Double, _ energy: Double) -> Bool {
                    abs(x) < 0.4 && abs(y) < 0.4 && energy > 6 && energy < 21
                }
                special.forEachLine(of: modes) { line in
                    guard line.twin == twin else { return }
                    for shift in 0..<2 {
                        known[key(line.setting, line.h, line.k, line.energy, shift), default: []].append(line)
                    }
                    if isOn(line.h, line.k, line.energy) { sums.0 += line.weight }
                }
                let map = special.imageMap(of: twins[twin])
                let cell = special.cellVariances(of: modes)
                var count = 0
                VolumeColumns(image, modes: modes, twin: twins[twin]).forEachLine { line in
                    if isOn(line.x, line.y, line.energy) { sums.1 += line.weight }
                    let found = (0..<2).flatMap { known[key(line.setting, line.x, line.y, line.energy, $0)] ?? [] }
                    // Layers lie at one place and differ in weight.
                    guard let other = found.min(by: { abs($0.weight - line.weight) < abs($1.weight - line.weight) })
                    else {
                        Issue.record("a line at \(line.x), \(line.y), \(line.energy) that is none of the special ones")
                        return
                    }
                    count += 1
                    let steep = cell * other.slope
                    let differences = [
                        line.x - other.h, line.y - other.k, (line.energy - other.energy) / 10,
                        line.weight / other.weight - 1,
                        line.cell.0 - (map.0 * map.0 * cell.x + map.1 * map.1 * cell.y),
                        line.cell.1 - (map.0 * map.2 * cell.x + map.1 * map.3 * cell.y),
                        line.cell.2 - (map.2 * map.2 * cell.x + map.3 * map.3 * cell.y),
                        line.cell.3 - (map.0 * steep.x + map.1 * steep.y),
                        line.cell.4 - (map.2 * steep.x + map.3 * steep.y),
                        (line.cell.5 - ((other.slope * steep).sum() + other.spread)) / 10,
                    ]
                    #expect(differences.allSatisfy { abs($0) < 1e-12 }, "\(differences)")
                }
                #expect(count > 100)
                #expect(abs(sums.0 - sums.1) < 1e-12 * sums.0, "\(sums)")
            }
        }
    }

    /// The special kernel puts near-degenerate modes together, which costs 1e-4 of the rms.
    @Test("the general image is the special one", arguments: [0, 1, 2, 3])
    func images(of index: Int) throws {
        let (scan, disperses) = Self.cases[index]
        let modes = try disperses ? SmallCases.modes(4, 4, 5, alongL: 1.5) : SmallCases.modes(6, 5)
        let special = try geometry(scan, [1, 0.3, 0, 1])
        let images = try [special, general(special)].map {
            try DetectorImage(geometry: $0, resolution: SmallCases.resolution()).image(of: modes)
        }
        #expect(SmallCases.rms(images[1], images[0]) < 1e-3)
        #expect(images[0].elements.contains { $0 > 0 })
    }

    /// The axes of cell, model, mounting and projection renamed in turn: the same crystal on the same spectrometer. Lines differ by
    /// rounding, and pixels by that of single precision.
    @Test(
        "an image does not change when crystal, mounting and projection are turned together", arguments: [true, false])
    func renamed(turns: Bool) throws {
        let modes = try SmallCases.modes(5, 4, 3, alongL: 1.5)
        var geometry = try SmallCases.geometry()
        let alignment = CrystalAlignment(u: [1, 0.5, 0], v: [0, 1, 0.3], gl: 2)
        let motion: ImageVolume.Motion =
            turns ? .turning(.init(psi: -40...70, step: 1, w: -0.3...0.4)) : .atRest(psi: 25)
        geometry.volume = ImageVolume(
            alignment: alignment, motion: motion, u: [1, 0.2, 0], v: [0, 1, 0.1], w: [0.1, 0, 1])
        // (a, b, c) → (b, c, a)
        func next<T>(_ x: [T]) -> [T] { [x[1], x[2], x[0]] }
        func next(_ x: SIMD3<Double>) -> SIMD3<Double> { SIMD3(x.y, x.z, x.x) }
        var renamed = geometry
        renamed.lattice = next(geometry.lattice)
        renamed.magneticScale = next(geometry.magneticScale)
        renamed.volume = ImageVolume(
            alignment: CrystalAlignment(u: next(alignment.u), v: next(alignment.v), gl: 2), motion: motion,
            u: next([1, 0.2, 0]), v: next([0, 1, 0.1]), w: next([0.1, 0, 1]))
        let (n1, n2, n3) = (5, 4, 3)
        var order: [Int] = []
        for i2 in 0..<n2 {
            for i3 in 0..<n3 { for i1 in 0..<n1 { order.append((i1 * n2 + i2) * n3 + i3) } }
        }
        func rows<T>(_ tensor: Tensor<T>) -> Tensor<T> {
            let size = tensor.count / order.count
            return Tensor(
                shape: tensor.shape, elements: order.flatMap { tensor.elements[$0 * size..<($0 + 1) * size] })
        }
        var velocities = rows(modes.velocities)
        for at in stride(from: 0, to: velocities.count, by: 3) {
            let v = next(Array(velocities.elements[at..<at + 3]))
            velocities.elements.replaceSubrange(at..<at + 3, with: v)
        }
        let other = try ZoneModes(
            grid: next(modes.grid), energies: rows(modes.energies), velocities: velocities,
            amplitudes: rows(modes.amplitudes),
            sites: modes.sites.map { .init(position: next($0.position), frame: $0.frame.map(next), ion: $0.ion) },
            formFactors: modes.formFactors, lattice: next(modes.lattice))
        let resolution = try SmallCases.resolution()
        let a = try DetectorImage(geometry: geometry, resolution: resolution).image(of: modes)
        let b = try DetectorImage(geometry: renamed, resolution: resolution).image(of: other)
        #expect(a.elements.contains { $0 > 0 })
        #expect(SmallCases.rms(b, a) < 1e-6, "\(SmallCases.rms(b, a))")
        // The resolution of an instrument turns with it.
        let grids = try [geometry, renamed].map {
            try Instrument.mapsBefore2017.covariance(
                geometry: $0, incidentEnergy: 60, frequency: 300, energy: 15, h: 0.3, k: -0.2)
        }
        for (c, d) in zip(grids[0].elements, grids[1].elements) { #expect(abs(c - d) < 1e-12) }
    }

    /// The square lattice a, b told as a' = a + b, b' = b (an angle of 45°). The grids' points are the same, their cells are squares
    /// here and rhomboids there; what that changes is of second order in the cell.
    @Test("an image does not depend on which cell tells the lattice")
    func obliqueCell() throws {
        let n = 24
        var points: [(Double, [Double])] = []
        for i in 0..<n {
            for j in 0..<n {
                let (p, q) = (2 * Double.pi * Double(i) / Double(n), 2 * Double.pi * Double(j) / Double(n))
                points.append((12 + 3 * cos(p) - 2 * cos(q), [-6 * Double.pi * sin(p), 4 * Double.pi * sin(q)]))
            }
        }
        func modes(oblique: Bool) throws -> ZoneModes {
            var energies: [Double] = []
            var velocities: [Float] = []
            for i in 0..<n {
                for j in 0..<n {
                    // h' = h + k, k' = k
                    let (energy, v) = points[(oblique ? (i - j + n) % n : i) * n + j]
                    energies.append(energy)
                    velocities += [Float(v[0]), Float(oblique ? v[1] - v[0] : v[1]), 0]
                }
            }
            let root = 0.5.squareRoot()
            // x' lies along a + b.
            let frame =
                oblique
                ? [SIMD3(root, -root, 0), SIMD3(0, 0, 1)] : [SIMD3(1, 0, 0), SIMD3(0.0, 0, 1)]
            return try ZoneModes(
                grid: [n, n, 1], energies: Tensor(shape: [n * n, 1], elements: energies),
                velocities: Tensor(shape: [n * n, 1, 3], elements: velocities),
                amplitudes: Tensor(
                    shape: [n * n, 1, 1, 2, 2],
                    elements: Array(repeating: [0.7, 0.2, -0.1, 0.5], count: n * n).flatMap { $0 }),
                sites: [.init(position: .zero, frame: frame, ion: 0)], formFactors: [.unity],
                lattice: oblique ? [5 * 2.0.squareRoot(), 5, 7] : [5, 5, 7],
                angles: oblique ? [90, 90, 45] : [90, 90, 90])
        }
        for motion in [ImageVolume.Motion.atRest(psi: 10), .turning(.init(psi: 0...90, step: 1, w: -0.3...0.5))] {
            var square = try SmallCases.geometry()
            square.lattice = [5, 5, 7]
            square.magneticScale = [1, 1, 1]
            let isAtRest = motion == .atRest(psi: 10)
            let (u, v): ([Double], [Double]) = isAtRest ? ([0, 0, 1], [1, 0, 0]) : ([1, 0, 0], [0, 1, 0])
            func told(_ hkl: [Double]) -> [Double] { [hkl[0] + hkl[1], hkl[1], hkl[2]] }
            var oblique = square
            square.volume = ImageVolume(alignment: CrystalAlignment(u: u, v: v), motion: motion)
            oblique.lattice = [5 * 2.0.squareRoot(), 5, 7]
            oblique.volume = ImageVolume(
                alignment: CrystalAlignment(angles: [90, 90, 45], u: told(u), v: told(v)), motion: motion,
                u: told([1, 0, 0]), v: told([0, 1, 0]), w: told([0, 0, 1]))
            let resolution = try SmallCases.resolution()
            let a = try DetectorImage(geometry: square, resolution: resolution).image(of: modes(oblique: false))
            let b = try DetectorImage(geometry: oblique, resolution: resolution).image(of: modes(oblique: true))
            #expect(SmallCases.rms(b, a) < 0.01, "\(SmallCases.rms(b, a))")
            #expect(throws: InstrumentError.self) {
                try DetectorImage(geometry: square, resolution: resolution).image(of: modes(oblique: true))
            }
        }
    }

    /// A flat mode of constant amplitude: a pixel is the mean of S⊥ kf/ki over its volume, which Q's direction alone decides. The
    /// resolution smears by 0.01 of pixels 0.16 wide.
    @Test("a flat mode shows the mean of S⊥ along any axes", arguments: [false, true])
    func flatMode(isTilted: Bool) throws {
        // Whole numbers of grid points to a pixel, so that the Gaussians that stand for cells add up evenly.
        let grid = [25, 30, 8]
        let count = grid.reduce(1, *)
        let amplitude: [Float] = [0.7, 0, 0, 0.4]
        let modes = try ZoneModes(
            grid: grid, energies: Tensor(shape: [count, 1], repeating: 12),
            velocities: Tensor(shape: [count, 1, 3], repeating: 0),
            amplitudes: Tensor(
                shape: [count, 1, 1, 2, 2], elements: Array(repeating: amplitude, count: count).flatMap { $0 }),
            sites: [.init(position: .zero, frame: [SIMD3(1, 0, 0), SIMD3(0, 0.6, 0.8)], ion: 0)],
            formFactors: [.unity], lattice: [10, 6, 12])
        var geometry = try SmallCases.geometry()
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
            motion: .turning(.init(psi: 0...360, step: 0, w: 1.2...1.9)),
            u: isTilted ? [1, 1, 0] : [1, 0, 0], v: isTilted ? [0, 0, 1] : [0, 1, 0],
            w: isTilted ? [1, -1, 0.2] : [0, 0, 1])
        let image = try DetectorImage(
            geometry: geometry, resolution: SmallCases.resolution(sigma: 0.01),
            options: .init(energyScale: .integrated)
        ).image(of: modes)
        let frame = VolumeFrame(geometry)
        var worst = 0.0
        for i in 1..<5 {
            for j in 1..<6 {
                var mean = 0.0
                let n = 12
                for (a, b, c) in (0..<n * n * n).map({ ($0 / n / n, $0 / n % n, $0 % n) }) {
                    func part(_ k: Int) -> Double { (Double(k) + 0.5) / Double(n) - 0.5 }
                    let q =
                        frame.axes
                        * SIMD3(
                            geometry.h.centre(5 - i) + part(a) * geometry.h.step,
                            geometry.k.centre(j) + part(b) * geometry.k.step, 1.55 + part(c) * 0.7)
                    guard Neutron.reaches(squaredWavevector: dot(q, q), incidentEnergy: 60, energy: 12) else {
                        continue
                    }
                    let (x, y) = (SIMD3(0.7, 0, 0), SIMD3(0, 0.6, 0.8) * 0.4)
                    let square = dot(x, x) + dot(y, y) - (pow(dot(x, q), 2) + pow(dot(y, q), 2)) / dot(q, q)
                    mean += square / Double(n * n * n)
                }
                // Bin 0 of 60 meV is 6 to 18 meV.
                let value = Double(image[0, 6 + i, j])
                worst = max(worst, abs(value / (mean * 0.8.squareRoot()) - 1))
            }
        }
        // The grid's cells that straddle a pixel's edge are spread as Gaussians.
        #expect(worst < 0.01, "\(worst)")
    }

    @Test("one wide pixel is the mean of those it covers")
    func cut() throws {
        var fine = try SmallCases.geometry()
        fine.volume = ImageVolume(
            alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
            motion: .turning(.init(psi: 0...360, step: 0, w: -0.3...0.5)))
        fine.k = .init(count: 8, minimum: -0.35, maximum: 0.35)
        var wide = fine
        wide.k = .init(count: 1, minimum: -0.4, maximum: 0.4)
        let modes = try SmallCases.modes(12, 12)
        let resolution = try SmallCases.resolution()
        let a = try DetectorImage(geometry: fine, resolution: resolution).image(of: modes)
        let b = try DetectorImage(geometry: wide, resolution: resolution).image(of: modes)
        #expect(b.shape == [1, 12, 3])
        var means = Tensor<Float>(shape: b.shape, repeating: 0)
        for row in 0..<12 {
            for bin in 0..<3 {
                for k in 0..<8 { means[0, row, bin] += a[0, row, bin * 8 + k] / 8 }
            }
        }
        // The kernel takes E, given the pixel, for normal: the truer the finer.
        #expect(SmallCases.rms(b, means) < 0.02, "\(SmallCases.rms(b, means))")
    }
}
