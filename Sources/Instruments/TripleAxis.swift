import Foundation

/// A triple-axis spectrometer as its resolution needs it: four collimators, two flat mosaic crystals, a mosaic sample.
///
/// Angles are full widths at half maximum in degrees, of Gaussian transmissions and mosaics.
public struct TripleAxis: Hashable, Sendable, Codable {
    /// A monochromator or analyser.
    public struct Crystal: Hashable, Sendable, Codable {
        /// Distance of the reflecting planes, Å.
        public var spacing: Double
        /// In the scattering plane.
        public var mosaic: Double
        /// Out of it.
        public var verticalMosaic: Double

        public init(spacing: Double, mosaic: Double, verticalMosaic: Double? = nil) {
            self.spacing = spacing
            self.mosaic = mosaic
            self.verticalMosaic = verticalMosaic ?? mosaic
        }

        /// Pyrolytic graphite (002), 3.3542 Å.
        public static func graphite(mosaic: Double) -> Crystal { Crystal(spacing: 3.3542, mosaic: mosaic) }
    }

    /// Which way an axis turns the beam, seen from above.
    public enum Sense: Int, Hashable, Sendable, Codable {
        case right = -1
        case left = 1
    }

    public var monochromator: Crystal
    public var analyser: Crystal
    /// Before the monochromator, to the sample, to the analyser, to the detector.
    public var collimation: [Double]
    public var verticalCollimation: [Double]
    /// Of the sample, in the plane and out of it; 0 for a perfect crystal.
    public var sampleMosaic: Double
    public var verticalSampleMosaic: Double
    /// At monochromator, sample and analyser.
    public var senses: [Sense]

    public init(
        monochromator: Crystal, analyser: Crystal, collimation: [Double], verticalCollimation: [Double],
        sampleMosaic: Double = 0, verticalSampleMosaic: Double? = nil, senses: [Sense] = [.right, .left, .right]
    ) {
        self.monochromator = monochromator
        self.analyser = analyser
        self.collimation = collimation
        self.verticalCollimation = verticalCollimation
        self.sampleMosaic = sampleMosaic
        self.verticalSampleMosaic = verticalSampleMosaic ?? sampleMosaic
        self.senses = senses
    }

    /// Refuses what has no meaning.
    public func validate() throws(InstrumentError) {
        let positive =
            collimation + verticalCollimation
            + [monochromator, analyser].flatMap { [$0.spacing, $0.mosaic, $0.verticalMosaic] }
        guard collimation.count == 4, verticalCollimation.count == 4, positive.allSatisfy({ $0 > 0 && $0.isFinite })
        else {
            throw .invalid(
                "the triple-axis spectrometer", problem: "needs four and four collimations, two crystals, all > 0")
        }
        guard senses.count == 3, sampleMosaic >= 0, verticalSampleMosaic >= 0 else {
            throw .invalid(
                "the triple-axis spectrometer", problem: "needs three senses and a sample mosaic of 0 or more")
        }
    }
}

/// Gaussian resolution of a triple-axis spectrometer about one (Q, E).
public struct TripleAxisResolution: Hashable, Sendable {
    /// Of (Q∥, Q⊥, Qz, E), row-major 4×4, 1/Å² and meV²: Q∥ along Q, Q⊥ a quarter turn to the left of it in the
    /// scattering plane, Qz up.
    public let covariance: [Double]
    /// Its inverse, the resolution matrix M: intensity falls as exp(−½ X M X).
    public let matrix: [Double]

    /// FWHM of an incoherent elastic scatterer: everything projected on E, meV.
    public var vanadiumFWHM: Double { Neutron.fwhmPerSigma * covariance[15].squareRoot() }

    /// FWHM of scans of Q∥, Q⊥, Qz (1/Å) and E (meV) through a Bragg peak or a mode without dispersion in all four: cuts.
    public var braggFWHM: [Double] { (0..<4).map { Neutron.fwhmPerSigma / matrix[$0 * 5].squareRoot() } }

    /// FWHM in E where the mode rises by `slope` (meV Å) along (Q∥, Q⊥, Qz): the width at which an energy scan sees it.
    public func energyFWHM(slope: SIMD3<Double>) -> Double {
        let direction = [-slope.x, -slope.y, -slope.z, 1]
        var variance = 0.0
        for a in 0..<4 { for b in 0..<4 { variance += direction[a] * covariance[a * 4 + b] * direction[b] } }
        return Neutron.fwhmPerSigma * variance.squareRoot()
    }
}
