import Compute
import Foundation
import Instruments
import Presentation
import SpinWaves
import Stages
import Tensors

/// Detector images of PCSMO from spectra that are at hand: two domains, six incident energies, 240 × 400 pixels.
struct ConvolutionBenchmark: Benchmark {
    static let name = "convolution"
    static let about = "detector images of PCSMO (two domains, six incident energies) from cached spectra"

    func run() throws -> Figures {
        let model = try readModel(at: "graphs/models/pcsmo-goodenough.yaml")
        let geometry = ImageGeometry.pcsmo
        let twins = try model.twins.map { twin in
            try Instruments.Twin(inPlane: [twin.matrix.x.x, twin.matrix.x.y, twin.matrix.y.x, twin.matrix.y.y])
        }
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .mapsBefore2017, geometry: geometry),
            twins: twins)
        var figures = Figures()
        let modes = try Self.modes(model, divisions: 25)
        var best = Double.infinity
        for _ in 0..<5 { best = min(best, try processorSeconds { _ = try image.image(of: modes) }) }
        figures.add("image_s", best, "one image, one core, processor time (target 0.25)")
        let seconds = try bestOf(3) { _ in
            try Parallel.forEach(16, threads: 2) { _ in _ = try image.image(of: modes) }
        }
        figures.add("images_per_s_2_cores", 16 / seconds, "4,000 images in 10 minutes are 6.7")
        figures.add("campaign_min", 4000 * seconds / 16 / 60, "4,000 images at that rate (target 10)")
        // What an image costs grows with the Gaussians that are laid down: points of the zone grid times modes.
        var (counts, times): ([Double], [Double]) = ([], [])
        for divisions in [9, 13, 17, 25, 35, 50] {
            let modes = try Self.modes(model, divisions: divisions)
            let time = try processorSeconds { _ = try image.image(of: modes) }
            counts.append(Double(modes.energies.elements.count))
            times.append(time)
            figures.add(
                "image_s_grid_\(divisions)", time, divisions == 9 ? "by points along each axis of the zone" : "")
        }
        try volumes(&figures, image: image, modes: modes, special: best)
        figures.pictures["convolution"] = Self.picture(counts, times)
        // What the kernel's cost is set against: the same image with its sampling error, and drawn.
        figures.add(
            "image_s_tolerance", try processorSeconds { _ = try image.sampledImage(of: modes) },
            "with the estimated error of sampling the zone")
        let stream = RandomStream(seed: 1)
        var draws: InstrumentDraws?
        figures.add(
            "draws_prepare_s",
            try processorSeconds {
                draws = try InstrumentDraws(instrument: .mapsBefore2017, image: image, stream: stream)
            },
            "pools and coefficients of the instrument's draws, once for all samples")
        for throwsOfMode in [1, 5, 20] {
            let time = try processorSeconds {
                if let draws { _ = try image.image(of: modes, drawnFrom: draws, draws: throwsOfMode, stream: stream) }
            }
            figures.add("image_s_draws_\(throwsOfMode)", time, throwsOfMode == 1 ? "by throws of each mode" : "")
        }
        return figures
    }

    /// The same image as of a crystal that is held in any way, with its tolerance and thrown.
    private func volumes(_ figures: inout Figures, image: DetectorImage, modes: ZoneModes, special: Double) throws {
        var geometry = image.geometry
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: .atRest(psi: 0))
        let volume = try DetectorImage(geometry: geometry, resolution: image.resolution, twins: image.twins)
        var best = Double.infinity
        for _ in 0..<3 { best = min(best, try processorSeconds { _ = try volume.image(of: modes) }) }
        figures.add("image_s_volume", best, "the same image through an orientation, c* along the beam")
        figures.add("volume_ratio", best / special, "over image_s")
        figures.add("volume_s_tolerance", try processorSeconds { _ = try volume.sampledImage(of: modes) }, "")
        figures.add(
            "volume_s_monte_carlo_5",
            try processorSeconds {
                _ = try volume.imageByMonteCarlo(of: modes, draws: 5, stream: RandomStream(seed: 1))
            }, "5 throws of each mode")
    }

    private static func picture(_ counts: [Double], _ times: [Double]) -> String {
        // Through the last point: what it would take if nothing but the modes took time.
        let slope = (times.last ?? 0) / (counts.last ?? 1)
        return LineChart(
            [
                .init("one image", x: counts, y: times, showsPoints: true),
                .init("in proportion", x: counts, y: counts.map { slope * $0 }, isDashed: true),
            ],
            x: Axis("modes of the zone, each a Gaussian for every domain and incident energy", scale: .logarithmic),
            y: Axis("processor time", unit: "s", scale: .logarithmic),
            alternativeText: "Time of a detector image against the number of modes"
        ).document()
    }

    private static func modes(_ model: SpinModel, divisions: Int) throws -> ZoneModes {
        let spectrum = try ZoneSolver(model, grid: ZoneGrid(model, divisions: divisions)).spectrum()
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
}
