import Foundation

extension Backgrounds {
    /// A background's intensity in every pixel, [rows × columns]: what the empty holder gives, and the sample's own.
    struct Image {
        var holder: [Double]
        var sample: [Double]
    }

    /// |Q| where phonons have their stated amplitude, 1/Å.
    private static let phononReference = 2.0
    /// Aluminium's 111 reflection, 1/Å.
    private static let phononPeriod = 2.687
    /// Width of the band in units of its top.
    private static let phononSpread = 0.3

    func image(_ draw: Draw, geometry: ImageGeometry) -> Image {
        let pixels = geometry.rows * geometry.columns
        var image = Image(
            holder: [Double](repeating: 0, count: pixels), sample: [Double](repeating: 0, count: pixels))
        for setting in geometry.settings.indices {
            for bin in 0..<geometry.energyBins.count { fill(&image, draw, geometry, setting, bin) }
        }
        for tail in draw.braggTails { add(tail, to: &image.sample, geometry) }
        return image
    }

    /// What is the same in all pixels of a panel within reach of the kinematics: of the holder, and of the sample.
    func panel(
        _ draw: Draw, _ geometry: ImageGeometry, _ setting: Int, _ bin: Int
    ) -> (holder: Double, sample: Double) {
        let incident = geometry.settings[setting].incidentEnergy
        let width = geometry.binWidth(setting: setting)
        let energy = geometry.firstBinEdge(setting: setting) + (Double(bin) + 0.5) * width
        let x = energy / incident
        let ki = Neutron.wavevector(energy: incident)
        let final = (incident - energy) / Neutron.energyPerWavevectorSquared
        let w = draw.elasticWidth * draw.elasticWidth
        let smooth =
            draw.environment[setting] * exp(-abs(x) / draw.environmentDecay)
            + draw.elasticTail[setting] * (0.01 + w) / (x * x + w)
        return (smooth, draw.incoherent[setting] * max(final, 0).squareRoot() / ki)
    }

    private func fill(_ image: inout Image, _ draw: Draw, _ geometry: ImageGeometry, _ setting: Int, _ bin: Int) {
        let incident = geometry.settings[setting].incidentEnergy
        let width = geometry.binWidth(setting: setting)
        let energy = geometry.firstBinEdge(setting: setting) + (Double(bin) + 0.5) * width
        let ki = Neutron.wavevector(energy: incident)
        let final = (incident - energy) / Neutron.energyPerWavevectorSquared
        let (smooth, incoherent) = panel(draw, geometry, setting, bin)
        let top = draw.phononEnergy
        let phonons =
            draw.phonons[setting] / (Self.phononReference * Self.phononReference) * occupied(energy) / occupied(top)
        let scale = 1 / (2 * Self.phononSpread * Self.phononSpread * top * top)
        let hs = geometry.h.count
        let ks = geometry.k.count
        let rowSquares = (0..<hs).map { geometry.inPlaneSquared(h: geometry.h.centre(hs - 1 - $0), k: 0) }
        let columnSquares = (0..<ks).map { geometry.inPlaneSquared(h: 0, k: geometry.k.centre($0)) }
        let frame = geometry.volume.map { _ in VolumeFrame(geometry) }
        for i in 0..<hs {
            let start = (setting * hs + i) * geometry.columns + bin * ks
            for j in 0..<ks {
                // Nothing arrives where the kinematics have no solution.
                var q2: Double
                if let frame {
                    let seen = frame.squaredWavevector(
                        x: geometry.h.centre(hs - 1 - i), y: geometry.k.centre(j), incidentEnergy: incident,
                        energy: energy)
                    guard let seen else { continue }
                    q2 = seen
                } else {
                    let inPlane = rowSquares[i] + columnSquares[j]
                    let forward = final - inPlane
                    if forward <= 0 { continue }
                    let along = ki - forward.squareRoot()
                    q2 = inPlane + along * along
                }
                var holder = smooth
                if phonons > 0 {
                    let band = top * abs(sin(Double.pi * q2.squareRoot() / Self.phononPeriod))
                    let distance = abs(energy) - band
                    holder += phonons * q2 * exp(-distance * distance * scale)
                }
                image.holder[start + j] = holder
                image.sample[start + j] = incoherent
            }
        }
    }

    /// E (n(E) + 1), meV; k_B T at E = 0.
    private func occupied(_ energy: Double) -> Double {
        let thermal = Neutron.boltzmann * temperature
        if thermal == 0 { return max(energy, 0) }
        let ratio = energy / thermal
        return abs(ratio) < 1e-6 ? thermal : energy / -expm1(-ratio)
    }

    private func add(_ tail: BraggTail, to image: inout [Double], _ geometry: ImageGeometry) {
        let hs = tail.profile(geometry.h, tail.place.x)
        let ks = tail.profile(geometry.k, tail.place.y)
        let frame = geometry.volume.map { _ in VolumeFrame(geometry) }
        for setting in geometry.settings.indices {
            let incident = geometry.settings[setting].incidentEnergy
            for bin in 0..<geometry.energyBins.count {
                let energy =
                    geometry.firstBinEdge(setting: setting)
                    + (Double(bin) + 0.5) * geometry.binWidth(setting: setting)
                let height = tail.height(geometry, setting, bin)
                let final = (incident - energy) / Neutron.energyPerWavevectorSquared
                for (i, h) in hs {
                    let row = setting * geometry.h.count + geometry.h.count - 1 - i
                    for (j, k) in ks {
                        if let frame {
                            let seen = frame.squaredWavevector(
                                x: geometry.h.centre(i), y: geometry.k.centre(j), incidentEnergy: incident,
                                energy: energy)
                            if seen == nil { continue }
                        } else {
                            let inPlane = geometry.inPlaneSquared(h: geometry.h.centre(i), k: geometry.k.centre(j))
                            if final <= inPlane { continue }
                        }
                        image[row * geometry.columns + bin * geometry.k.count + j] += height * h * k
                    }
                }
            }
        }
    }
}

extension Backgrounds.BraggTail {
    /// How high it is along an axis, in units of its height: widened by the pixel (step²/12), within five widths.
    func profile(_ axis: ImageGeometry.PixelAxis, _ centre: Double) -> [(index: Int, value: Double)] {
        let variance = width * width + axis.step * axis.step / 12
        return (0..<axis.count).compactMap { index in
            let distance = axis.centre(index) - centre
            guard distance * distance < 25 * variance else { return nil }
            return (index, exp(-distance * distance / (2 * variance)))
        }
    }

    func height(_ geometry: ImageGeometry, _ setting: Int, _ bin: Int) -> Double {
        let incident = geometry.settings[setting].incidentEnergy
        let energy =
            geometry.firstBinEdge(setting: setting) + (Double(bin) + 0.5) * geometry.binWidth(setting: setting)
        return amplitudes[setting] * exp(-max(energy / incident, 0) / extent)
    }
}
