import Compute
import Foundation

// Distributions of single deviations, each drawn with mean 0 and variance 1.

/// When a neutron leaves the moderator, or passes the disk that cuts its pulse.
enum PulseShape: Sendable {
    /// t² exp(−t)
    case chiSquared
    case ikedaCarpenter(IkedaCarpenter.Pulse)
    case trapezoid(Double, Double)

    init(_ instrument: Instrument, source: Instrument.PulseSource, incidentEnergy: Double, frequency: Double) {
        if !source.isModerator, case .disks(let pair) = instrument.chopper {
            let times = pair.shaping.crossings(frequency: frequency)
            self = .trapezoid(times.slot, times.guide)
        } else if case .ikedaCarpenter(let form) = instrument.moderator {
            self = .ikedaCarpenter(form.pulse(incidentEnergy: incidentEnergy))
        } else {
            self = .chiSquared
        }
    }

    func draw(from random: inout RandomSequence) -> Double {
        switch self {
        case .chiSquared: return (random.gamma3() - 3) / 3.0.squareRoot()
        case .ikedaCarpenter(let pulse):
            let time =
                pulse.fast * random.gamma3()
                + (random.uniform() < pulse.stored ? pulse.slow * random.exponential() : 0)
            return (time - pulse.mean) / pulse.variance.squareRoot()
        case .trapezoid(let slot, let guide): return random.trapezoid(slot, guide)
        }
    }
}

/// When a neutron passes the last chopper.
enum OpeningShape: Sendable {
    /// A Fermi chopper of some mismatch γ; the jitter's and the opening's part of the deviation; 1/σ of the opening in
    /// units of p / Rω.
    case fermi(gamma: Double, jitter: Double, opening: Double, scale: Double)
    case trapezoid(Double, Double)

    init(_ chopper: Chopper, incidentEnergy: Double, frequency: Double) throws(InstrumentError) {
        switch chopper {
        case .fermi(let fermi):
            let total = try fermi.variance(incidentEnergy: incidentEnergy, frequency: frequency)
            let jitter = fermi.jitter / Neutron.fwhmPerSigma
            let opening = total - jitter * jitter
            let unit = fermi.slit / (fermi.radius * 2 * Double.pi * frequency)
            self = .fermi(
                gamma: try fermi.mismatch(incidentEnergy: incidentEnergy, frequency: frequency),
                jitter: jitter / total.squareRoot(), opening: (opening / total).squareRoot(),
                scale: unit / opening.squareRoot())
        case .disks(let pair):
            let times = pair.last.crossings(frequency: frequency)
            self = .trapezoid(times.slot, times.guide)
        }
    }

    func draw(from random: inout RandomSequence) -> Double {
        switch self {
        case .fermi(let gamma, let jitter, let opening, let scale):
            // Rejection under a box as high as the opening's middle and as wide as it lasts.
            let top = FermiChopper.opening(0, mismatch: gamma)
            let end = gamma <= 1 ? 0.5 : gamma.squareRoot() - gamma / 2
            var a: Double
            repeat {
                a = random.uniform(-end...end)
            } while random.uniform() * top
                > FermiChopper.opening(a, mismatch: gamma)
            return opening * scale * a + (jitter > 0 ? jitter * random.normal() : 0)
        case .trapezoid(let slot, let guide): return random.trapezoid(slot, guide)
        }
    }
}

/// Where in a detector element a neutron is absorbed: along the flight and across.
enum AbsorptionShape: Sendable {
    /// Boxes of some standard deviations.
    case boxes
    /// Attenuation μ per radius; mean depth and 1/σ of depth and width in radii.
    case tube(mu: Double, mean: Double, depth: Double, width: Double)

    init(_ detector: DetectorElement, finalEnergy: Double) {
        guard case .tube(let tube, _) = detector else {
            self = .boxes
            return
        }
        let wavevector = Neutron.wavevector(energy: finalEnergy)
        let moments = tube.absorption(wavevector: wavevector)
        let radius = tube.innerRadius
        self = .tube(
            mu: tube.attenuation(wavevector: wavevector) * radius, mean: moments.meanDepth / radius,
            depth: radius / moments.depthVariance.squareRoot(), width: radius / moments.widthVariance.squareRoot())
    }

    func draw(from random: inout RandomSequence) -> SIMD2<Double> {
        guard case .tube(let mu, let mean, let depth, let width) = self else {
            return SIMD2(random.box(), random.box())
        }
        while true {
            let y = random.uniform(-1...1)
            let chord = (1 - y * y).squareRoot()
            let path = random.exponential() / mu
            if path < 2 * chord { return SIMD2((path - chord - mean) * depth, y * width) }
        }
    }
}

extension SampleShape {
    /// A point of the body, along the beam, across and up.
    func draw(from random: inout RandomSequence) -> SIMD3<Double> {
        switch self {
        case .plate: return SIMD3(random.box(), random.box(), random.box())
        case .annulus:
            let turn = 2 * Double.pi * random.uniform()
            return SIMD3(2.0.squareRoot() * cos(turn), 2.0.squareRoot() * sin(turn), random.box())
        case .cylinder:
            let turn = 2 * Double.pi * random.uniform()
            let radius = 2 * random.uniform().squareRoot()
            return SIMD3(radius * cos(turn), radius * sin(turn), random.box())
        }
    }
}

extension RandomSequence {
    /// t² exp(−t) / 2
    fileprivate mutating func gamma3() -> Double { exponential() + exponential() + exponential() }

    /// Two boxes of some widths folded, with variance 1; 0 where both are 0.
    fileprivate mutating func trapezoid(_ a: Double, _ b: Double) -> Double {
        let sigma = ((a * a + b * b) / 12).squareRoot()
        let sum = a * (uniform() - 0.5) + b * (uniform() - 0.5)
        return sigma > 0 ? sum / sigma : 0
    }
}
