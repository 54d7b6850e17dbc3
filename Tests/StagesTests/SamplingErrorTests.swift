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
        _ image: DetectorImage, _ model: SpinModel, _ values: [Double], _ divisions: Int, fine: Int, most: Double = 4
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
        // higher orders at most double that (3.3 seen); along columns of a volume what is of second order counts 1.8 times.
        if sampled.error < 0.03 { #expect(sampled.error > error, "\(sampled.error), truly \(error)") }
        #expect(sampled.error < most * error, "\(sampled.error), truly \(error)")
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

    private static func image(_ model: SpinModel, _ energy: Double, _ volume: ImageVolume, reach: Double)
        throws -> DetectorImage
    {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: energy, chopperFrequency: 200)],
            energyBins: .init(count: 8, from: 0.1, to: 0.7),
            h: .init(count: 16, minimum: -reach, maximum: reach), k: .init(count: 16, minimum: -reach, maximum: reach),
            lattice: [model.lattice.a, model.lattice.b, model.lattice.c], magneticScale: [1, 1, 1], volume: volume)
        return try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .maps, geometry: geometry))
    }

    /// Rods along l in the plane of the image, averaged along b, which is vertical.
    @Test("of oriented crystals that disperse in two directions or one", arguments: [0, 1], [32, 48])
    func planes(example: Int, divisions: Int) throws {
        let model = try readModel(at: "\(graphsFolder)/models/\(example == 0 ? "square-afm-nn" : "afm-chain").yaml")
        let volume = ImageVolume(
            alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 0, 1]),
            motion: .turning(.init(psi: -180...180, step: 1, w: -0.1...0.1)), u: [1, 0, 0], v: [0, 0, 1], w: [0, 1, 0])
        let image = try Self.image(model, example == 0 ? 15 : 6, volume, reach: 1.5)
        try Self.check(image, model, model.values(overriding: [:]), divisions, fine: example == 0 ? 192 : 384, most: 6)
    }

    /// MnF2, with c upright, along oblique axes, and at rest with c along the beam.
    @Test("of an oriented crystal that disperses in three directions", arguments: [0, 1, 2], [18, 28])
    func volumes(example: Int, divisions: Int) throws {
        let model = try readModel(at: "\(graphsFolder)/models/mnf2.yaml")
        let turn = ImageVolume.Motion.turning(.init(psi: -180...180, step: 1, w: -0.15...0.15))
        let upright = CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0])
        let volume =
            switch example {
            case 0: ImageVolume(alignment: upright, motion: turn)
            case 1: ImageVolume(alignment: upright, motion: turn, u: [1, 1, 0], v: [0, 0, 1], w: [1, -1, 0])
            default: ImageVolume(alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: .atRest(psi: 0))
            }
        let image = try Self.image(model, 14, volume, reach: 1)
        // At rest what is left out along columns counts twice.
        try Self.check(
            image, model, model.values(overriding: [:]), divisions, fine: 72, most: example == 2 ? 12 : 6)
    }

    @Test("of PCSMO as a volume", arguments: [17, 25])
    func pcsmoVolume(divisions: Int) throws {
        let model = try readModel(at: "\(graphsFolder)/models/pcsmo-goodenough.yaml")
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[1]]
        geometry.volume = geometry.equivalentVolume
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .mapsBefore2017, geometry: geometry))
        try Self.check(image, model, model.values(overriding: [:]), divisions, fine: 75)
    }
}
