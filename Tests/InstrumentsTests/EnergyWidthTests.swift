import Foundation
import Testing

@testable import Instruments

/// Values of the PyChop program (mducle/pychop e63b203), which its own tests pin.
@Suite("Energy width and its parts")
struct EnergyWidthTests {
    static let fractions = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
    static let table: [(energy: Double, frequency: Double, widths: [Double])] = [
        (25, 300, [0.71711, 0.67347, 0.63308, 0.59611, 0.56272, 0.53305, 0.50726, 0.48549, 0.46794, 0.45499, 0.45056]),
        (35, 200, [1.43667, 1.32109, 1.21335, 1.11395, 1.02348, 0.94253, 0.87174, 0.81177, 0.76335, 0.72768, 0.71548]),
        (50, 200, [2.32618, 2.12802, 1.94271, 1.77113, 1.61428, 1.47327, 1.34929, 1.24368, 1.15796, 1.09451, 1.07277]),
        (70, 250, [3.09971, 2.83725, 2.59189, 2.36481, 2.15734, 1.97093, 1.80717, 1.66778, 1.55476, 1.4712, 1.44259]),
        (100, 300, [4.71956, 4.35016, 4.00604, 3.68883, 3.4003, 3.1423, 2.91673, 2.72559, 2.57116, 2.45723, 2.41826]),
        (
            140, 400,
            [5.82646, 5.36466, 4.93431, 4.53747, 4.17639, 3.85344, 3.57109, 3.33188, 3.13875, 2.99647, 2.94787]
        ),
    ]

    /// Printed to five decimals; 1e-4 relative covers 0.45 ± 0.000005 and PyChop's two values of v/√E.
    @Test("MAPS with the sloppy package, eleven transfers", arguments: 0..<6)
    func maps(row: Int) throws {
        let (energy, frequency, widths) = Self.table[row]
        for (fraction, width) in zip(Self.fractions, widths) {
            let fwhm = try Instrument.maps.energyFWHM(
                incidentEnergy: energy, frequency: frequency, energy: fraction * energy)
            #expect(abs(fwhm / width - 1) < 1e-4, "\(energy) meV at \(fraction): \(fwhm), not \(width)")
        }
    }

    @Test("MAPS at 70 meV and 250 Hz, energy gain to loss")
    func gainToLoss() throws {
        let widths = [
            3.93503499, 3.50227882, 3.09971212, 2.72993811, 2.3960852, 2.10186233, 1.85154872, 1.64996314, 1.5030965,
        ]
        for (index, width) in widths.enumerated() {
            let fwhm = try Instrument.maps.energyFWHM(
                incidentEnergy: 70, frequency: 250, energy: Double(index * 10 - 20))
            #expect(abs(fwhm / width - 1) < 1e-4)
        }
    }

    @Test("the high-resolution and medium packages at the elastic line")
    func packages() throws {
        var a = Instrument.maps
        a.chopper = .fermi(.mapsA)
        var b = Instrument.maps
        b.chopper = .fermi(.mapsB)
        let elastic: [(Double, Double, Double?, Double)] = [
            (25, 300, nil, 0.61278), (35, 200, 0.88612, 1.07081), (50, 200, 1.30796, 1.70143),
            (70, 250, 1.76303, 2.26353), (100, 300, 3.0189, 3.63086), (140, 400, 3.67242, 4.38967),
        ]
        for (energy, frequency, inA, inB) in elastic {
            if let inA {
                let fwhm = try a.energyFWHM(incidentEnergy: energy, frequency: frequency, energy: 0)
                #expect(abs(fwhm / inA - 1) < 1e-4)
            } else {
                #expect(throws: InstrumentError.noTransmission(incidentEnergy: energy, frequency: frequency)) {
                    try a.energyFWHM(incidentEnergy: energy, frequency: frequency, energy: 0)
                }
            }
            let fwhm = try b.energyFWHM(incidentEnergy: energy, frequency: frequency, energy: 0)
            #expect(abs(fwhm / inB - 1) < 1e-4)
        }
    }

    @Test("the five time widths at the detector")
    func parts() throws {
        // Ei, Hz, transfer, moderator, chopper, aperture, detector, sample; µs.
        let rows: [[Double]] = [
            [25, 300, 0, 28.0336, 25.7555, 8.2886, 5.2422, 1.6907],
            [35, 200, 0, 23.9351, 40.6099, 3.1221, 4.6103, 3.4117],
            [50, 200, 0, 19.6074, 40.2716, 1.1593, 3.9899, 3.5963],
            [70, 250, 0, 15.9715, 32.2615, 1.3814, 3.4576, 2.8344],
            [100, 300, 0, 17.5839, 26.8883, 1.1794, 2.9529, 2.3593],
            [140, 400, 0, 12.5677, 20.3049, 1.5610, 2.5330, 1.7059],
            [70, 250, 20, 23.9361, 39.3050, 4.0651, 3.9899, 3.2291],
            [70, 250, 40, 47.0802, 59.7726, 11.8637, 4.8946, 4.3763],
        ]
        for row in rows {
            let widths = try Instrument.maps.timeWidths(incidentEnergy: row[0], frequency: row[1], energy: row[2])
            let parts = [widths.moderator, widths.chopper, widths.aperture, widths.detector, widths.sample]
            for (part, expected) in zip(parts, row[3...]) { #expect(abs(part * 1e6 / expected - 1) < 1e-4) }
        }
    }

    @Test("moderator widths against energy, with the jump between table and formula")
    func moderator() {
        let widths: [(Double, Double)] = [
            (10, 45.1533), (25, 35.9976), (35, 30.7347), (50, 25.1776), (70, 20.5088), (72.8, 20.0178), (73, 26.2546),
            (80, 25.1439), (100, 22.5793), (120, 19.7909), (140, 16.1380), (160, 12.9714), (200, 9.7091), (300, 7.5926),
        ]
        for (energy, width) in widths {
            let fwhm = MeasuredModerator.maps.fwhm(incidentEnergy: energy) * 1e6
            #expect(abs(fwhm / width - 1) < 1e-4, "\(energy) meV: \(fwhm)")
        }
    }

    @Test("chopper pulse and the chi-squared moderator")
    func pulse() throws {
        let variance = try FermiChopper.mapsSloppy.variance(incidentEnergy: 70, frequency: 250)
        #expect(abs(variance.squareRoot() * Neutron.fwhmPerSigma * 1e6 / 18.13704 - 1) < 1e-4)
        let tau = 70e-6 / 70.0.squareRoot()
        let moderator = Moderator.chiSquared(tau: 70)
        #expect(abs(moderator.variance(incidentEnergy: 70) / (3 * tau * tau) - 1) < 1e-12)
        // Half maximum of t² exp(−t/τ), at the two ends of the width.
        func pulse(_ t: Double) -> Double { t * t * exp(-t) }
        let width = moderator.fwhm(incidentEnergy: 70) / tau
        var (low, high) = (0.0, 2.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if pulse(middle) < pulse(2) / 2 { low = middle } else { high = middle }
        }
        #expect(abs(pulse(low + width) / (pulse(2) / 2) - 1) < 1e-9)
    }

    @Test("helium tubes of 25 mm: efficiency, mean depth, spread of depth")
    func tubes() {
        let efficiency = [0.9925, 0.9675, 0.9236, 0.8694, 0.8131, 0.7591, 0.7093]
        let depth = [-7.285, -5.658, -4.460, -3.624, -3.031, -2.596, -2.266]
        let sigma = [3.1468, 4.0475, 4.6713, 5.0365, 5.2557, 5.3952, 5.4890]
        for k in 1...7 {
            let absorption = HeliumTube(diameter: 0.025).absorption(wavevector: Double(k))
            #expect(abs(absorption.efficiency / efficiency[k - 1] - 1) < 1e-4)
            #expect(abs(absorption.meanDepth * 1e3 - depth[k - 1]) < 6e-4)
            #expect(abs(absorption.depthVariance.squareRoot() * 1e3 / sigma[k - 1] - 1) < 1e-4)
        }
    }
}
