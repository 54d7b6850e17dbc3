import Compute
import Foundation
import Tensors

/// Images like those of the chain from spin waves to noise, made in no time: panels of 40 × 40 pixels of (h, k), one for
/// each of six incident energies and ten energy transfers; dispersing ridges under a Gaussian line that is cut off where
/// the kernel cuts it off; the detectors' outline, beyond which pixels are zero.
enum DetectorImages {
    static let rows = 240
    static let columns = 400
    private static let panel = 40

    /// Without noise.
    static func clean(_ index: Int) -> [Float] {
        let random = RandomStream(seed: 7).substream("image", index)
        func between(_ low: Double, _ high: Double, _ draw: Int) -> Double {
            low + (high - low) * random.uniform(at: draw)
        }
        let top = between(25, 60, 0), gap = between(1, 6, 1), second = between(0.4, 0.9, 2)
        let weight = between(0.3, 1, 3), anisotropy = between(0.5, 1.5, 4)
        let incident = [25.0, 35, 50, 70, 100, 140]
        return (0..<rows * columns).map { pixel in
            let (row, column) = (pixel / columns, pixel % columns)
            let energy = incident[row / panel] * (0.1 + 0.6 * (Double(column / panel) + 0.5) / 10)
            let h = 1 - 2 * (Double(row % panel) + 0.5) / Double(panel)
            let k = -1 + 2 * (Double(column % panel) + 0.5) / Double(panel)
            guard isSeen(h: h, k: k, energy: energy, incident: incident[row / panel]) else { return 0 }
            let width = 0.03 * incident[row / panel] * (1 - 0.5 * energy / incident[row / panel])
            var intensity = 0.0
            for (scale, strength) in [(1.0, 1.0), (second, weight)] {
                let bend = (cos(.pi * h) + anisotropy * cos(.pi * k)) / (1 + anisotropy)
                let mode = (gap * gap + top * top * scale * (1 - bend * bend)).squareRoot()
                let distance = (energy - mode) / width
                guard abs(distance) < 4.5 else { continue }
                intensity += strength * (top / mode) * exp(-distance * distance / 2) / width
            }
            let background = 0.02 * exp(-energy / 30)
            // What differs from pixel to pixel: the path of the scattered neutron through the detector, and the
            // kernel's grid of wavevectors.
            let roughness = 1 + 0.01 * (random.uniform(at: 100 + pixel) - 0.5)
            return Float((intensity + background) * roughness)
        }
    }

    /// The same as counted: Poisson's variance about the image, none below zero.
    static func noisy(_ index: Int) -> [Float] {
        let random = RandomStream(seed: 11).substream("counts", index)
        let exposure = 40.0
        return clean(index).enumerated().map { pixel, intensity in
            if intensity == 0 { return 0 }
            let counts = Double(intensity) * exposure
            return Float(max(0, counts + counts.squareRoot() * random.normal(at: pixel)) / exposure)
        }
    }

    /// Detectors cover a ring about the beam that widens with the incident energy, with gaps between the banks.
    private static func isSeen(h: Double, k: Double, energy: Double, incident: Double) -> Bool {
        let radius = (h * h + k * k).squareRoot()
        let reach = 0.75 + 0.006 * incident - 0.3 * energy / incident
        return radius > 0.1 && radius < reach && abs(h - k) > 0.03
    }
}
