import Compute
import HostDevice
import Tensors
import Testing

@testable import Instruments

/// `detector_image.cu`, run by the device in software, against the host's kernel and against the reference.
@Suite("Detector images: reference = host = CUDA")
struct ImageAgreementTests {
    /// A way to look, and what is looked at.
    enum Case: String, CaseIterable, Sendable {
        case plain, domains, warm, alongL, layers, layersAlongL, wide, manyColumns, integrated
    }

    private func image(_ which: Case) throws -> (DetectorImage, ZoneModes) {
        let small = try SmallCases.geometry()
        func turning(_ layers: Int) throws -> ImageGeometry {
            try ImageGeometry(
                settings: small.settings, energyBins: small.energyBins, h: small.h, k: small.k,
                lattice: small.lattice, magneticScale: small.magneticScale,
                scan: .rotation(l: -1...1.3, layers: layers))
        }
        let twins = try [Twin.identity, .exchanged, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])]
        func make(
            _ geometry: ImageGeometry, _ twins: [Twin] = [.identity], sigma: Double = 0.06,
            _ options: DetectorImage.Options = .init()
        ) throws -> DetectorImage {
            try DetectorImage(
                geometry: geometry, resolution: SmallCases.resolution(sigma: sigma), twins: twins, options: options)
        }
        return switch which {
        case .plain: (try make(small), try SmallCases.modes(6, 5))
        case .domains: (try make(small, twins), try SmallCases.modes(6, 5))
        case .warm: (try make(small, twins, .init(fluxRatio: false, temperature: 300)), try SmallCases.modes(5, 7))
        case .alongL: (try make(small, twins), try SmallCases.modes(4, 4, 5, alongL: 1.5))
        case .layers: (try make(turning(3), twins), try SmallCases.modes(5, 4))
        case .layersAlongL: (try make(turning(1)), try SmallCases.modes(4, 4, 6, alongL: 1.5))
        // Wider than the image, so that much falls beside it.
        case .wide: (try make(small, twins, sigma: 0.5), try SmallCases.modes(6, 5))
        // More than a warp's 31, more than a block's 124.
        case .manyColumns:
            (try make(SmallCases.geometry(pixels: 130, extent: 0.7), sigma: 0.02), try SmallCases.modes(3, 3))
        case .integrated: (try make(small, twins, .init(energyScale: .integrated)), try SmallCases.modes(6, 5))
        }
    }

    private func largest(_ image: Tensor<Float>) -> Double { image.elements.map { Double(abs($0)) }.max() ?? 0 }

    private func difference(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
        zip(a.elements, b.elements).map { Double(abs($0 - $1)) }.max() ?? .infinity
    }

    /// 1e-6 of the largest pixel; Float itself rounds at 6e-8 of each.
    @Test("host and CUDA agree to 1e-6", arguments: Case.allCases)
    func agrees(which: Case) throws {
        let (image, modes) = try image(which)
        let host = try image.image(of: modes)
        let device = try image.images(of: [modes], on: SoftwareDevice())
        #expect(device.count == 1 && device[0].shape == host.shape)
        #expect(largest(host) > 0)
        #expect(difference(device[0], host) <= 1e-6 * largest(host))
    }

    /// Cells cut where they are wider than two standard deviations, and those of twice the variance: by what errors are estimated. The
    /// images to 1e-6 as without; the error, 1.5 ‖difference‖ / ‖image‖, to 1e-6 · √2 of the largest pixel over ‖difference‖ at the worst,
    /// which is 1e-4 of it here.
    @Test(
        "host and CUDA agree to 1e-6 in cells that are cut into parts, and in the error that these tell",
        arguments: Case.allCases)
    func agreesInParts(which: Case) throws {
        let (image, modes) = try image(which)
        let host = try image.sampledImage(of: modes)
        let device = try image.sampledImages(of: [.host(modes)], on: SoftwareDevice())[0]
        let whole = try image.image(of: modes)
        #expect(difference(device.image, host.image) <= 1e-6 * largest(host.image))
        #expect(abs(device.error - host.error) <= 1e-4 * host.error && host.error > 1e-4)
        // Cells are cut here: the answer is another.
        #expect(difference(whole, host.image) > 1e-4 * largest(host.image))
    }

    @Test("cells in parts have the same bits in every order, in company, and with little memory")
    func orderInParts() throws {
        let (image, modes) = try image(.domains)
        let first = try image.sampledImages(of: [.host(modes)], on: SoftwareDevice())[0]
        let other = try changed(modes) { $0 * 1.25 }
        for device in [SoftwareDevice(order: .descending), SoftwareDevice(order: .shuffled, free: 1)] {
            let company = try image.sampledImages(of: [.host(other), .host(modes), .host(modes)], on: device)
            #expect(company[1] == first && company[2] == first && company[0] != first)
        }
    }

    /// Shared memory is laid out by the number of modes; the device in software sees to its end.
    @Test("any number of modes", arguments: 1...6)
    func modeCounts(count: Int) throws {
        let (image, modes) = try image(.plain)
        func some<E>(_ tensor: Tensor<E>) -> Tensor<E> {
            let (points, width) = (tensor.shape[0], tensor.count / tensor.shape[0] / 3)
            var elements: [E] = []
            for point in 0..<points {
                for mode in 0..<count {
                    let start = (point * 3 + mode % 3) * width
                    elements += tensor.elements[start..<start + width]
                }
            }
            return Tensor(shape: [points, count] + tensor.shape.dropFirst(2), elements: elements)
        }
        let changed = try ZoneModes(
            grid: modes.grid, energies: some(modes.energies), velocities: some(modes.velocities),
            amplitudes: some(modes.amplitudes), sites: modes.sites, formFactors: modes.formFactors,
            lattice: modes.lattice)
        let host = try image.image(of: changed)
        let device = try image.images(of: [changed], on: SoftwareDevice())[0]
        #expect(difference(device, host) <= 1e-6 * largest(host) && largest(host) > 0)
    }

    /// To what the host's kernel is held to in `DetectorImageTests`: it approximates, and so does this.
    @Test("reference and CUDA agree as reference and host do", arguments: [Case.domains, .warm])
    func agreesWithReference(which: Case) throws {
        let (image, modes) = try image(which)
        let device = try image.images(of: [modes], on: SoftwareDevice())
        #expect(SmallCases.rms(device[0], try image.imageReference(of: modes)) < 3e-4)
    }

    /// One flat mode inside all windows, on a wide image, with amplitudes only at q = 0, so that Q = (h, k) are the integers that
    /// kinematics allow: the sum over pixels and bins is Σ S⊥ · cell area / pixel area, S⊥ = 1 − Q̂_y² for an amplitude along y. To
    /// 1e-7 of the normal distribution for each of three factors, and Float.
    @Test("intensity is conserved to 1e-6, however narrow the lines", arguments: [0.01, 0.06])
    func conserves(sigma: Double) throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 200)],
            energyBins: .init(count: 5, from: -0.5, to: 0.95), h: .init(count: 60, minimum: -3, maximum: 3),
            k: .init(count: 50, minimum: -3, maximum: 3), lattice: SmallCases.lattice, magneticScale: [1, 1, 1])
        let axis = ResolutionTable.Axis(origin: -5, step: 10, count: 2)
        let covariance = [sigma * sigma, 0.5 * sigma * sigma, sigma * sigma, 0.6 * sigma, 0.2 * sigma, 1]
        let table = ResolutionTable(grids: [
            try .init(
                incidentEnergy: 30, h: axis, k: axis, energy: .init(origin: -50, step: 100, count: 2),
                covariances: Array(repeating: covariance, count: 8).flatMap { $0 })
        ])
        var amplitudes = [Float](repeating: 0, count: 16)
        amplitudes[0] = 1
        let modes = try ZoneModes(
            grid: [2, 2, 1], energies: Tensor(shape: [4, 1], repeating: 12),
            velocities: Tensor(shape: [4, 1, 3], repeating: 0.5),
            amplitudes: Tensor(shape: [4, 1, 1, 2, 2], elements: amplitudes),
            sites: [.init(position: .zero, frame: [SIMD3(0, 1, 0), SIMD3(1, 0, 0)], ion: 0)],
            formFactors: [.unity], lattice: SmallCases.lattice)
        let image = try DetectorImage(
            geometry: geometry, resolution: table, options: .init(fluxRatio: false, energyScale: .integrated)
        ).images(of: [modes], on: SoftwareDevice())[0]
        var expected = 0.0
        for h in -4...4 {
            for k in -4...4 {
                guard let l = geometry.l(incidentEnergy: 30, energy: 12, h: Double(h), k: Double(k)) else { continue }
                let q = SIMD3(Double(h) / 5, Double(k) / 6, l / 12)
                expected += 1 - q.y * q.y / (q * q).sum()
            }
        }
        expected *= 0.25 / (geometry.h.step * geometry.k.step)
        let sum = image.elements.reduce(0.0) { $0 + Double($1) }
        #expect(expected > 1 && abs(sum / expected - 1) < 1e-6)
    }

    @Test("the same bits in every order of blocks and threads, alone and in company, with much memory and little")
    func order() throws {
        for which in [Case.domains, .alongL, .manyColumns] {
            let (image, modes) = try image(which)
            let first = try image.images(of: [modes], on: SoftwareDevice())[0]
            for order in HostDevice.Order.allCases {
                #expect(try image.images(of: [modes], on: SoftwareDevice(order: order))[0] == first)
            }
            let other = try changed(modes) { $0 * 1.25 }
            let company = try image.images(of: [other, modes, modes, other], on: SoftwareDevice())
            #expect(company[1] == first && company[2] == first)
            #expect(company[0] == company[3] && company[0] != first)
            #expect(difference(company[0], try image.image(of: other)) <= 1e-6 * largest(company[0]))
            #expect(
                try image.images(of: [other, modes, modes, other], on: SoftwareDevice(free: 1)) == company)
        }
    }

    @Test("absent modes do not matter, others that are not finite are refused, as are samples of different magnets")
    func refusals() throws {
        let (image, modes) = try image(.plain)
        func spoilt(_ point: Int, _ mode: Int) throws -> ZoneModes {
            var velocities = modes.velocities
            velocities.elements[(point * 3 + mode) * 3] = .nan
            return try ZoneModes(
                grid: modes.grid, energies: modes.energies, velocities: velocities, amplitudes: modes.amplitudes,
                sites: modes.sites, formFactors: modes.formFactors, lattice: modes.lattice)
        }
        // The mode that `SmallCases` leaves out: point (1, 1), the third.
        let good = try image.images(of: [modes, spoilt(6, 2)], on: SoftwareDevice())
        #expect(good[0] == good[1])
        #expect(throws: InstrumentError.self) { try image.images(of: [modes, spoilt(3, 1)], on: SoftwareDevice()) }
        #expect(throws: InstrumentError.self) {
            try image.images(of: [modes, SmallCases.modes(5, 5)], on: SoftwareDevice())
        }
        #expect(try image.images(of: [ZoneModes](), on: SoftwareDevice()).isEmpty)
    }

    private func changed(_ modes: ZoneModes, _ energy: (Double) -> Double) throws -> ZoneModes {
        var energies = modes.energies
        for index in energies.elements.indices { energies.elements[index] = energy(energies.elements[index]) }
        return try ZoneModes(
            grid: modes.grid, energies: energies, velocities: modes.velocities, amplitudes: modes.amplitudes,
            sites: modes.sites, formFactors: modes.formFactors, lattice: modes.lattice)
    }
}
