import Foundation
import Tensors

extension CoverageMask {
    /// The pixels of which less than a part `least` of the volume in (Q, E) is reached by some detector.
    ///
    /// - Parameter least: from above 0 to 1; at 0 every pixel that is touched at all counts as seen.
    /// - Parameter samples: see `reached(by:geometry:samples:)`.
    public init(
        banks: DetectorBanks, geometry: ImageGeometry, least: Double = 0.5, samples: Int = 4
    ) throws(InstrumentError) {
        try self.init(
            reached: Self.reached(by: banks, geometry: geometry, samples: samples), least: least, geometry: geometry)
    }

    /// - Parameter reached: the part of each pixel that is seen, as `reached(by:geometry:samples:)` gives it.
    public init(reached: Tensor<Float>, least: Double, geometry: ImageGeometry) throws(InstrumentError) {
        guard least >= 0, least <= 1 else { throw .invalid("the least coverage", problem: "must lie in 0…1") }
        try self.init(
            Tensor(
                shape: reached.shape, elements: reached.elements.map { $0 > 0 && $0 >= Float(least) ? 0 : 1 }),
            geometry: geometry)
    }

    /// The part of each pixel's volume that some detector reaches, of a turning crystal at some psi of the scan: [rows, columns].
    ///
    /// The volume is the pixel in (x, y), its energy bin and, of a crystal that turns, the range of w. It is sampled at the middles
    /// of `samples` equal parts along each, and a place is reached or it is not. An edge across one of the axes is thus found to
    /// within 1/(2 samples) of the volume, an oblique one more closely.
    public static func reached(
        by banks: DetectorBanks, geometry: ImageGeometry, samples: Int = 4
    ) throws(InstrumentError) -> Tensor<Float> {
        try geometry.validate()
        guard samples > 0, samples <= 64 else { throw .invalid("the samples of a pixel", problem: "must be 1 to 64") }
        let sampling = PixelSampling(banks: banks, geometry: geometry, samples: samples)
        var elements: [Float] = []
        elements.reserveCapacity(geometry.rows * geometry.columns)
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                elements.append(Float(sampling.reached(geometry.pixel(row: row, column: column))))
            }
        }
        return Tensor(shape: geometry.shape, elements: elements)
    }
}

private struct PixelSampling {
    let banks: DetectorBanks
    let geometry: ImageGeometry
    let frame: VolumeFrame
    let samples: Int

    init(banks: DetectorBanks, geometry: ImageGeometry, samples: Int) {
        self.banks = banks
        self.geometry = geometry
        self.samples = samples
        frame = VolumeFrame(geometry)
    }

    /// The middles of equal parts of an interval.
    private func middles(_ low: Double, _ high: Double) -> [Double] {
        (0..<samples).map { low + (Double($0) + 0.5) / Double(samples) * (high - low) }
    }

    func reached(_ pixel: ImageGeometry.Pixel) -> Double {
        let xs = middles(pixel.x - geometry.h.step / 2, pixel.x + geometry.h.step / 2)
        let ys = middles(pixel.y - geometry.k.step / 2, pixel.y + geometry.k.step / 2)
        var count = 0
        for energy in middles(pixel.energies.lowerBound, pixel.energies.upperBound) {
            for x in xs {
                for y in ys { count += reached(x: x, y: y, incidentEnergy: pixel.incidentEnergy, energy: energy) }
            }
        }
        var total = samples * samples * samples
        if case .turning = frame.volume.motion { total *= samples }
        return Double(count) / Double(total)
    }

    private func reached(x: Double, y: Double, incidentEnergy: Double, energy: Double) -> Int {
        guard case .turning(let turn) = frame.volume.motion else {
            let seen = frame.seen(x: x, y: y, incidentEnergy: incidentEnergy, energy: energy)
            guard let seen else { return 0 }
            return banks.see(seen.final) ? 1 : 0
        }
        return middles(turn.w.lowerBound, turn.w.upperBound).reduce(0) { count, w in
            let sightings = frame.sightings(
                of: SIMD3(x, y, w), incidentEnergy: incidentEnergy, energy: energy)
            guard let sightings else { return count }
            return count + (sightings.contains { turn.covers($0.psi) && banks.see($0.final) } ? 1 : 0)
        }
    }
}
