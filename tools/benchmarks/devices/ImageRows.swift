import Compute
import Devices
import Foundation
import Instruments
import SpinWaves
import Stages
import Tensors

/// Detector images of PCSMO on a device, two domains at six incident energies on 240 × 400 pixels, and noise on them.
struct ImageRows {
    let kernels: KernelLibrary
    let isSmall: Bool
    let wants: (images: Bool, noise: Bool)
    private let threads = Parallel.availableCores

    /// As the published campaign has.
    private static let campaign = 4000
    /// Images that one call makes, as the stage does.
    private static let batch = 64
    /// Longer than this nobody waits for all 4,000: the rate of those made by then is what counts.
    private static let patience = 60.0

    private typealias Modes = PlacedModes<CUDAKernelDevice.Memory>

    func measure(_ figures: inout Figures) throws {
        let model = try readModel(at: "graphs/models/pcsmo-goodenough.yaml")
        var geometry = ImageGeometry.pcsmo
        if isSmall { geometry = try Self.small(geometry) }
        let twins = try model.twins.map { twin in
            try Instruments.Twin(inPlane: [twin.matrix.x.x, twin.matrix.x.y, twin.matrix.y.x, twin.matrix.y.y])
        }
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .mapsBefore2017, geometry: geometry),
            twins: twins)
        let device = try CUDAKernelDevice(kernels)
        let samples = isSmall ? 2 : 256
        let solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: isSmall ? 5 : 25))
        let values = (0..<samples).map { sample in
            model.parameterValues.map { $0 * (0.9 + 0.2 * Double(sample) / Double(samples)) }
        }
        let solved = try solver.spectraOnDevice(values: values, unstable: .keep, on: device, threads: threads)
        try device.stream.synchronize()
        let spectra = try solved.map { try $0.spectrum.get() }
        let hosted = try spectra.map { try Self.modes($0, model) }
        let placed: [Modes] = zip(hosted, solved).map { modes, solution in
            guard let zone = solution.zone else { return .host(modes) }
            return .onDevice(
                frame: modes, energies: zone.energies, velocities: zone.velocities, amplitudes: zone.amplitudes)
        }
        let images = try image.images(of: Array(hosted.prefix(2)), on: device)
        if wants.images {
            try addImages(image, placed: placed, hosted: hosted, &figures)
            let one = try image.image(of: hosted[0])
            let largest = one.elements.max() ?? 0
            let worst = zip(one.elements, images[0].elements).map { abs($0 - $1) }.max() ?? .infinity
            guard largest > 0, worst <= 1e-6 * largest else {
                throw BenchmarkFailure(description: "an image differs from the host's by \(worst) of \(largest)")
            }
        }
        if wants.noise { try addNoise(images, geometry: geometry, on: device, &figures) }
        withExtendedLifetime(solved) {}
    }

    private func addImages(
        _ image: DetectorImage, placed: [Modes], hosted: [ZoneModes], _ figures: inout Figures
    ) throws {
        let kept = placed.count { modes in
            if case .onDevice = modes { return true }
            return false
        }
        figures.remarks.append(
            "images: \(kept) of \(placed.count) spectra stayed on the device; \(Self.batch) images a call")
        for streams in [1, 2] {
            let rate = try Self.rate(image, placed, streams: streams, kernels, isSmall: isSmall)
            figures.add(
                "images_per_s_resident\(streams == 1 ? "" : "_2_streams")", rate,
                "from spectra that are on the device, answers on the host, \(streams) at once",
                prediction: streams == 1 ? 200 : nil)
            if streams == 2 {
                figures.add(
                    "images_4000_s", Double(Self.campaign) / rate, "4,000 of them at that rate", prediction: 20,
                    aim: .atMost(30))
            }
        }
        let rate = try Self.rate(image, hosted.map { .host($0) }, streams: 2, kernels, isSmall: isSmall)
        figures.add("images_per_s_host", rate, "from spectra in the host's memory, 2 at once")
        let count = isSmall ? 1 : max(threads, 32)
        let seconds = try elapsed {
            try Parallel.forEach(count, threads: threads) { _ = try image.image(of: hosted[$0 % hosted.count]) }
        }
        figures.add("images_per_s_cpu", Double(count) / seconds, "this program on \(threads) cores of the host")
        figures.add("images_ratio_host", rate * seconds / Double(count), "how many times as fast as the host")
    }

    /// Images a second by the wall clock, on several streams at once.
    private static func rate(
        _ image: DetectorImage, _ modes: [Modes], streams: Int, _ kernels: KernelLibrary, isSmall: Bool
    ) throws -> Double {
        let devices = try (0..<streams).map { _ in try CUDAKernelDevice(kernels) }
        let all = isSmall ? 2 * streams : campaign
        let batches = (all + batch - 1) / batch
        let lists = (0..<batches).map { number in
            (0..<min(batch, all - number * batch)).map { modes[(number * batch + $0) % modes.count] }
        }
        for device in devices { _ = try image.imagesOnDevice(of: Array(lists[0].prefix(2)), on: device) }
        let clock = ContinuousClock()
        let began = clock.now
        let made = try Parallel.map(streams, threads: streams) { stream in
            var (next, made) = (stream, 0)
            while next < batches, began.duration(to: clock.now) < .seconds(patience) {
                made += try image.imagesOnDevice(of: lists[next], on: devices[stream]).count
                next += streams
            }
            return made
        }
        let seconds = began.duration(to: clock.now) / .seconds(1)
        return Double(made.reduce(0, +)) / seconds
    }

    private func addNoise(
        _ images: [Tensor<Float>], geometry: ImageGeometry, on device: CUDAKernelDevice, _ figures: inout Figures
    ) throws {
        let copies = isSmall ? 2 : 512
        let exposures = (0..<copies).map { copy in
            NoiseModel.Exposure(images[0], stream: RandomStream(seed: 9).substream("copy", copy))
        }
        let model = NoiseModel()
        let timed = TimedDevice(device)
        var (wall, kernels) = (Double.infinity, Double.infinity)
        for round in 0...(isSmall ? 1 : 3) {
            let seconds = try elapsed {
                _ = try model.measured(exposures, geometry: geometry, mask: nil, on: timed, threads: threads)
            }
            let spent = try timed.kernelSeconds().values.reduce(0, +)
            if round > 0 { (wall, kernels) = (min(wall, seconds), min(kernels, spent)) }
        }
        figures.add("noise_us_kernels", kernels / Double(copies) * 1e6, "a noisy image, kernels' time by events")
        figures.add("noise_us_whole", wall / Double(copies) * 1e6, "with copies and the host's part, by the wall clock")
        let few = isSmall ? 1 : 4 * threads
        let seconds = try elapsed {
            try Parallel.forEach(few, threads: threads) {
                _ = try model.measured(images[0], geometry: geometry, mask: nil, stream: exposures[$0 % copies].stream)
            }
        }
        figures.add("noise_us_cpu", seconds / Double(few) * 1e6, "this program on \(threads) cores of the host")
    }

    /// The same incident energies on few pixels.
    private static func small(_ geometry: ImageGeometry) throws -> ImageGeometry {
        var small = geometry
        small.h.count = 4
        small.k.count = 4
        return small
    }

    private static func modes(_ spectrum: ZoneSpectrum, _ model: SpinModel) throws -> ZoneModes {
        try ZoneModes(
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
