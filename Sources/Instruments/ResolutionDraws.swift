import Compute
import Foundation

/// Random deviations of (Q, E) of single neutrons, with the true distributions of what causes them.
///
/// The flight is linear in the deviations, as for the covariance; the deviations themselves are not Gaussian: the pulse of
/// the moderator is skew, the chopper's opening is a triangle with a rounded or cut top, aperture, sample and time channels
/// are boxes, absorption in a tube follows its chords, disks open as trapezoids. Mosaic, jitter and divergence are Gaussian.
/// Of moderators known by their width alone the pulse is taken as t² exp(−t/τ) with that variance. Every deviation has mean
/// zero: a constant delay is a matter of calibration.
public struct ResolutionDraws: Sendable {
    private let rows: [SIMD4<Double>]
    private let shapes: DeviationShapes

    /// - Parameter incidentEnergy: meV; `energy`, the transfer, meV; `frequency`, Hz.
    /// - Parameter direction: of the scattered neutron, a unit vector with x along the beam, z up; not along z.
    public init(
        instrument: Instrument, incidentEnergy: Double, frequency: Double, energy: Double, direction: SIMD3<Double>
    ) throws(InstrumentError) {
        rows = try instrument.deviations(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, direction: direction)
        shapes = try DeviationShapes(
            instrument: instrument, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy)
    }

    /// (dQx, dQy, dQz, dE) of one neutron, in 1/Å and meV: the same stream and index give the same neutron.
    public func draw(from stream: RandomStream, at index: Int) -> SIMD4<Double> {
        var random = RandomSequence(stream.substream("resolution", index))
        let standardized = shapes.draw(from: &random)
        var sum = SIMD4<Double>.zero
        for (row, value) in zip(rows, standardized) { sum += row * value }
        return sum
    }
}

/// The distributions of an instrument's deviations at an energy transfer, each with mean 0 and variance 1.
struct DeviationShapes: Sendable {
    let pulse: PulseShape
    let opening: OpeningShape
    let sample: SampleShape
    let absorption: AbsorptionShape

    init(instrument: Instrument, incidentEnergy: Double, frequency: Double, energy: Double) throws(InstrumentError) {
        sample = instrument.sample
        let source = instrument.pulseSource(incidentEnergy: incidentEnergy, frequency: frequency)
        pulse = PulseShape(instrument, source: source, incidentEnergy: incidentEnergy, frequency: frequency)
        opening = try OpeningShape(instrument.chopper, incidentEnergy: incidentEnergy, frequency: frequency)
        absorption = AbsorptionShape(instrument.detector, finalEnergy: incidentEnergy - energy)
    }

    /// One neutron: a number for each of `Instrument.Contribution`, in their order.
    func draw(from random: inout RandomSequence) -> [Double] {
        let body = sample.draw(from: &random)
        let absorbed = absorption.draw(from: &random)
        return [
            pulse.draw(from: &random), random.box(), random.box(), opening.draw(from: &random), body.x, body.y, body.z,
            absorbed.x, absorbed.y, random.box(), random.box(), random.normal(), random.normal(), random.normal(),
            random.normal(),
        ]
    }
}

extension RandomSequence {
    /// Uniform with mean 0 and variance 1.
    mutating func box() -> Double { (uniform() - 0.5) * 12.0.squareRoot() }

    /// Exponential with mean 1.
    mutating func exponential() -> Double { -log(uniform()) }
}
