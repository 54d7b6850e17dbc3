import Compute
import Foundation

/// How detectors differ from the average one: tubes from each other, and with the energy of the neutron.
///
/// Counts in a pixel are the average detector's times ε_tube η(Ef)/η(25 meV), where
///
///     ε = e^{N(0, tubeEfficiency)},   η = 1 − exp(−0.0743 p λf)
///
/// with p the pressure times depth of the ³He, atm·cm, and λf the final wavelength, Å: 5333 barn at 1.798 Å, a gas of 20 °C.
/// Data reduction divides by η of the middle of the range of p (`correctsHelium`), so that what is left of it in the mean is
/// the error of p, and in the noise that fast neutrons are counted worse. Nobody knows of ε.
public struct DetectorResponse: Hashable, Sendable, Codable {
    /// Standard deviation of the logarithm of a tube's efficiency; the same tube at all energies and settings.
    public var tubeEfficiency = 0.0
    /// Range of the pressure times depth of the ³He in the detectors, atm·cm; nil: efficiency does not depend on energy.
    public var helium: ClosedRange<Double>?
    /// Whether data reduction corrected for the efficiency.
    public var correctsHelium = true

    public init() {}

    /// Whether every neutron counts, wherever and however fast it arrives.
    public var isOff: Bool { tubeEfficiency == 0 && helium == nil }

    func validate(tubeWidth: Double) throws(InstrumentError) {
        guard tubeEfficiency >= 0, tubeEfficiency.isFinite else {
            throw .invalid("tubeEfficiency", problem: "must be 0 or more")
        }
        if tubeEfficiency > 0, tubeWidth < 0.01 {
            throw .invalid("tubeWidth", problem: "must be at least 0.01 degrees where tubes differ in efficiency")
        }
        if let helium, !(helium.lowerBound > 0 && helium.upperBound.isFinite) {
            throw .invalid("helium", problem: "must be positive")
        }
    }

    /// Efficiency of ³He detectors for a final energy.
    ///
    /// - Parameter depth: pressure times depth, atm·cm.
    /// - Parameter finalEnergy: meV, positive.
    public static func heliumEfficiency(depth: Double, finalEnergy: Double) -> Double {
        -expm1(-heliumAbsorption * depth * Neutron.wavelength(energy: finalEnergy))
    }

    /// Absorption per atm, cm and Å: (101325 Pa / k_B 293.15 K) · 5333e-28 m² / 1.798 Å.
    static let heliumAbsorption = 101325 / (1.380649e-23 * 293.15) * 5333e-28 / 1.798 * 1e-2

    /// The random numbers of one image.
    public struct Draw: Hashable, Sendable {
        /// Efficiencies of the tubes from −90° on; empty where they do not differ.
        public var tubes: [Double]
        /// atm·cm
        public var helium: Double?
    }

    func draw(stream: RandomStream, tubeWidth: Double) -> Draw {
        var tubes: [Double] = []
        if tubeEfficiency > 0 {
            let efficiencies = stream.substream("tube efficiency")
            tubes = (0...Int((180 / tubeWidth).rounded(.up))).map { exp(tubeEfficiency * efficiencies.normal(at: $0)) }
        }
        return Draw(
            tubes: tubes,
            helium: helium.map {
                $0.lowerBound + ($0.upperBound - $0.lowerBound) * stream.substream("helium").uniform(at: 0)
            })
    }

    /// Response and correction of the helium in one panel, relative to the drawn detector's at 25 meV.
    func heliumResponse(_ draw: Draw, finalEnergy: Double) -> (response: Double, correction: Double) {
        guard let helium, let drawn = draw.helium, finalEnergy > 0 else { return (1, 1) }
        func relative(_ depth: Double) -> Double {
            Self.heliumEfficiency(depth: depth, finalEnergy: finalEnergy)
                / Self.heliumEfficiency(depth: depth, finalEnergy: 25)
        }
        return (relative(drawn), correctsHelium ? relative((helium.lowerBound + helium.upperBound) / 2) : 1)
    }

    /// The same in one panel of an image.
    func heliumResponse(
        _ draw: Draw, geometry: ImageGeometry, setting: Int, bin: Int
    ) -> (response: Double, correction: Double) {
        let incident = geometry.settings[setting].incidentEnergy
        let width = geometry.binWidth(setting: setting)
        let final = incident - geometry.firstBinEdge(setting: setting) - (Double(bin) + 0.5) * width
        return heliumResponse(draw, finalEnergy: final)
    }

    /// Efficiencies of tubes side by side from −90° on, and their means.
    struct Tubes {
        private let width: Double
        /// Sum of efficiencies up to each tube's far edge.
        private(set) var sums: [Double] = [0]

        init(_ efficiencies: [Double], width: Double) {
            self.width = width
            for efficiency in efficiencies { sums.append(sums[sums.count - 1] + efficiency) }
        }

        /// Mean efficiency over a range of detector angles along h, degrees; of one tube, its own.
        func mean(over angles: ClosedRange<Double>) -> Double {
            func sum(upTo angle: Double) -> Double {
                let place = (angle + 90) / width
                let tube = min(max(Int(place), 0), sums.count - 2)
                return sums[tube] + (place - Double(tube)) * (sums[tube + 1] - sums[tube])
            }
            let extent = (angles.upperBound - angles.lowerBound) / width
            // A pixel of no extent: the tube at its place.
            if extent < 1e-9 { return mean(over: angles.lowerBound - 1e-6 * width...angles.upperBound + 1e-6 * width) }
            return (sum(upTo: angles.upperBound) - sum(upTo: angles.lowerBound)) / extent
        }
    }
}
