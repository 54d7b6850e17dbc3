import Compute
import Foundation
import SpinWaves
import Tensors
import Testing

@testable import Instruments
@testable import Stages

/// The estimate of the error that a zone grid leaves, on models of spin waves.
@Suite("The error of sampling the zone, of models")
struct SamplingErrorTests {
    private static func modes(_ model: SpinModel, _ values: [Double], divisions: Int) throws -> ZoneModes {
        let spectrum = try ZoneSolver(model, grid: ZoneGrid(model, divisions: divisions)).spectrum(
            values: values, unstable: .fail)
        return try ZoneModes(
            grid: spectrum.grid.divisions, energies: spectrum.energies, velocities: spectrum.velocities,
            amplitudes: spectrum.amplitudes,
            sites: model.sites.indices.map { i in
                ZoneModes.Site(
                    position: model.unwrappedPositions[i], frame: [model.frames[i].e1, model.frames[i].e2],
                    ion: model.ionOfSite[i])
            },
            formFactors: model.ions.map { try Instruments.FormFactor(model.formFactors[$0]?.j0.values ?? []) },
            lattice: [model.lattice.a, model.lattice.b, model.lattice.c])
    }

    private static func check(
        _ image: DetectorImage, _ model: SpinModel, _ values: [Double], _ divisions: Int, fine: Int
    ) throws {
        let sampled = try image.sampledImage(of: modes(model, values, divisions: divisions))
        let truth = try image.image(of: modes(model, values, divisions: fine))
        var (difference, size) = (0.0, 0.0)
        for (a, b) in zip(sampled.image.elements, truth.elements) {
            difference += Double(a - b) * Double(a - b)
            size += Double(b) * Double(b)
        }
        let error = (difference / size).squareRoot()
        // Of estimates that a tolerance could accept (3 %) none may be below the truth; the margin is 1.5 to leading order, and
        // higher orders at most double that (3.3 seen).
        if sampled.error < 0.03 { #expect(sampled.error > error, "\(sampled.error), truly \(error)") }
        #expect(sampled.error < 4 * error, "\(sampled.error), truly \(error)")
    }

    @Test("of the square-lattice antiferromagnet with random exchange", arguments: 0..<4, [28, 40, 56])
    func square(draw: Int, divisions: Int) throws {
        let model = try readModel(at: "\(graphsFolder)/models/square-afm-nnn.yaml")
        let stream = RandomStream(seed: 8).substream("exchange", draw)
        // The priors of graphs/square-afm.yaml.
        let values = try model.values(overriding: [
            "J1": 0.5 + 0.3 * stream.uniform(at: 0), "J2": 0.04 + 0.14 * stream.uniform(at: 1),
            "D": -0.03 + 0.025 * stream.uniform(at: 2),
        ])
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 12, chopperFrequency: 200)],
            energyBins: .init(count: 8, from: 0.1, to: 0.7),
            h: .init(count: 20, minimum: -1, maximum: 1), k: .init(count: 20, minimum: -1, maximum: 1),
            lattice: [model.lattice.a, model.lattice.b, model.lattice.c], magneticScale: [1, 1, 1])
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .maps, geometry: geometry))
        try Self.check(image, model, values, divisions, fine: 200)
    }

    @Test("of PCSMO", arguments: [17, 25])
    func pcsmo(divisions: Int) throws {
        let model = try readModel(at: "\(graphsFolder)/models/pcsmo-goodenough.yaml")
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[1], geometry.settings[3]]
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .mapsBefore2017, geometry: geometry))
        try Self.check(image, model, model.values(overriding: [:]), divisions, fine: 75)
    }
}
