import CKernels
import Devices
import Tensors

/// What the samples of one magnet have in common.
struct ImageDeviceBatch {
    let problem: sw_image_problem
    let settings: [sw_image_setting]
    let tables: [[Double]]
    let twins: [sw_image_twin]
    let sites: [sw_image_site]
    let groups: [sw_image_group]
    let formFactors: [Double]
    let order: [Int32]
    let visits: [sw_image_visit]

    init(_ problem: inout sw_image_problem) {
        self.problem = problem
        settings = Array(UnsafeBufferPointer(start: problem.settings, count: Int(problem.setting_count)))
        tables = settings.map { setting in
            let count = 8 * Int(setting.table_h * setting.table_k * setting.table_energy)
            return Array(UnsafeBufferPointer(start: setting.table, count: count))
        }
        twins = Array(UnsafeBufferPointer(start: problem.twins, count: Int(problem.twin_count)))
        let sites = Array(UnsafeBufferPointer(start: problem.sites, count: Int(problem.site_count)))
        groups = Array(UnsafeBufferPointer(start: problem.groups, count: Int(problem.group_count)))
        let ions = (groups.map { Int($0.ion) }.max() ?? 0) + 1
        formFactors = Array(UnsafeBufferPointer(start: problem.form_factors, count: 7 * ions))
        order = sites.indices.sorted { (sites[$0].group, $0) < (sites[$1].group, $1) }.map(Int32.init)
        self.sites = sites
        var visits = [sw_image_visit](repeating: .init(), count: Int(sw_image_list_visits(&problem, nil)))
        _ = sw_image_list_visits(&problem, &visits)
        self.visits = visits
    }

    var points: Int { Int(problem.n1 * problem.n2 * problem.n3) }
    var modeCount: Int { Int(problem.mode_count) }
    var settingCount: Int { settings.count }
    /// Numbers of one sample's images.
    var pixels: Int {
        twins.count * settingCount * Int(problem.h_count * problem.bin_count * problem.k_count)
    }

    /// Bytes that a sample takes besides its bundles.
    var bytesPerSample: Int {
        points * modeCount * (8 + 4 * 3 + 4 * 4 * sites.count) + 8 * settingCount * (visits.count + 2) + 4
            + 4 * pixels
    }

    /// Bytes that a bundle takes.
    var bytesPerBundle: Int {
        MemoryLayout<sw_image_bundle>.stride + twins.count * MemoryLayout<sw_image_gaussian>.stride
    }

    /// A warp's shared memory for one visit.
    var visitBytes: Int { 8 * ((2 * sites.count + 5 * modeCount + 1) / 2 * 2) }
    /// Warps of a block of the visit's kernels, as shared memory allows.
    func visitWarps(_ limit: Int) -> Int { max(1, min(4, limit / visitBytes)) }
    /// Threads of a row's block: a warp for each 31 columns, four at most, as shared memory allows.
    func rowThreads(_ limit: Int) -> Int {
        var warps = min(4, (Int(problem.k_count) + 30) / 31)
        while warps > 1, rowBytes(32 * warps) > limit { warps -= 1 }
        return 32 * warps
    }
    /// Shared memory of a row's block: bins for each thread, and what `sw_image_deposit` has besides.
    func rowBytes(_ threads: Int) -> Int { 8 * Int(problem.bin_count) * threads + 8208 }
}

/// An image, and where the device has it.
struct DeviceImage<Memory: KernelMemory> {
    var elements: [Float]
    /// Of several images; this one from `offset` bytes on.
    var memory: Memory
    var offset: Int
}

/// A device's memory for the images of one magnet.
struct ImageDeviceRoom<Device: KernelDevice> {
    private let batch: ImageDeviceBatch
    private let device: Device
    /// Kept while kernels read them.
    private let kept: [Device.Memory]
    private let common: sw_image_device_problem

    init(_ batch: ImageDeviceBatch, on device: Device) throws {
        self.batch = batch
        self.device = device
        let tables = try batch.tables.map { try device.memory(of: $0) }
        var settings = batch.settings
        for index in settings.indices { settings[index].table = pointer(tables[index]) }
        let arrays = try [
            device.memory(of: settings), device.memory(of: batch.twins), device.memory(of: batch.sites),
            device.memory(of: batch.groups), device.memory(of: batch.formFactors), device.memory(of: batch.order),
            device.memory(of: batch.visits),
        ]
        kept = tables + arrays
        var common = sw_image_device_problem()
        common.image = batch.problem
        common.image.settings = pointer(arrays[0])
        common.image.twins = pointer(arrays[1])
        common.image.sites = pointer(arrays[2])
        common.image.groups = pointer(arrays[3])
        common.image.form_factors = pointer(arrays[4])
        common.site_order = pointer(arrays[5])
        common.visits = pointer(arrays[6])
        common.visit_count = Int64(batch.visits.count)
        self.common = common
    }

    /// Counts the bundles of all samples, then makes the images of as many at a time as their Gaussians leave room for.
    func images(of samples: [PlacedModes<Device.Memory>], budget: Int) throws -> [DeviceImage<Device.Memory>] {
        let settings = batch.settingCount
        let counts = try device.memory(bytes: max(8, 8 * samples.count * settings * batch.visits.count))
        let totals = try device.memory(bytes: 8 * samples.count * settings)
        let faults = try device.memory(of: [UInt32](repeating: 0, count: samples.count))
        let lines = batch.points * batch.modeCount
        let modes = (
            energies: try device.memory(bytes: 8 * samples.count * lines),
            velocities: try device.memory(bytes: 4 * samples.count * 3 * lines),
            amplitudes: try device.memory(bytes: 4 * samples.count * 4 * batch.sites.count * lines)
        )
        for (index, sample) in samples.enumerated() { try place(sample, index, modes) }
        var problem = common
        problem.sample_count = Int64(samples.count)
        problem.counts = mutablePointer(counts)
        problem.totals = mutablePointer(totals)
        problem.faults = mutablePointer(faults)
        problem.image.energies = pointer(modes.energies)
        problem.image.velocities = pointer(modes.velocities)
        problem.image.amplitudes = pointer(modes.amplitudes)
        let warps = batch.visitWarps(device.sharedBytesPerBlock)
        func visit(_ samples: Int) -> KernelLaunch {
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_see",
                columns: max(1, (batch.visits.count + warps - 1) / warps),
                rows: samples, threads: 32 * warps, sharedBytes: warps * batch.visitBytes)
        }
        try device.launch(visit(samples.count), problem)
        try device.launch(
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_place", columns: samples.count * settings, threads: 256),
            problem)
        let bundles = try device.read(Int64.self, count: samples.count * settings, from: totals).map(Int.init)
        let bad = try device.read(UInt32.self, count: samples.count, from: faults)
        if bad.contains(where: { $0 != 0 }) {
            throw InstrumentError.invalid("the modes", problem: "have a velocity or an amplitude that is not finite")
        }
        var images: [DeviceImage<Device.Memory>] = []
        var first = 0
        while first < samples.count {
            var last = first
            var taken = 0
            while last < samples.count {
                let more = bundles[last * settings..<(last + 1) * settings].reduce(0, +) * batch.bytesPerBundle
                if last > first, taken + more > budget / 2 { break }
                (taken, last) = (taken + more, last + 1)
            }
            let share = bundles[first * settings..<last * settings]
            images += try deposit(problem, samples: first..<last, bundles: Array(share), budget: budget, visit)
            first = last
        }
        // What launches read is given back in the stream's order: after them.
        withExtendedLifetime((counts, totals, faults, modes)) {}
        return images
    }

    /// Puts a sample's modes behind those of the samples before it.
    private func place(
        _ sample: PlacedModes<Device.Memory>, _ index: Int,
        _ target: (energies: Device.Memory, velocities: Device.Memory, amplitudes: Device.Memory)
    ) throws {
        let lines = batch.points * batch.modeCount
        let sizes = (energies: 8 * lines, velocities: 12 * lines, amplitudes: 16 * batch.sites.count * lines)
        switch sample {
        case .host(let modes):
            try device.write(modes.energies.elements, to: target.energies, at: index * sizes.energies)
            try device.write(modes.velocities.elements, to: target.velocities, at: index * sizes.velocities)
            try device.write(modes.amplitudes.elements, to: target.amplitudes, at: index * sizes.amplitudes)
        case .onDevice(_, let energies, let velocities, let amplitudes):
            try device.copy(sizes.energies, from: energies, to: target.energies, at: index * sizes.energies)
            try device.copy(sizes.velocities, from: velocities, to: target.velocities, at: index * sizes.velocities)
            try device.copy(sizes.amplitudes, from: amplitudes, to: target.amplitudes, at: index * sizes.amplitudes)
        }
    }

    /// Images of some of the samples that were counted.
    private func deposit(
        _ counted: sw_image_device_problem, samples: Range<Int>, bundles: [Int], budget: Int,
        _ visit: (_ samples: Int) -> KernelLaunch
    ) throws -> [DeviceImage<Device.Memory>] {
        let settings = batch.settingCount
        let (first, count) = (samples.lowerBound, samples.count)
        var bases: [Int64] = []
        var all = 0
        for number in bundles {
            bases.append(Int64(all))
            all += number
        }
        let baseMemory = try device.memory(of: bases)
        let bundleMemory = try device.memory(bytes: max(1, all) * MemoryLayout<sw_image_bundle>.stride)
        var problem = counted
        problem.sample_count = Int64(count)
        // Arrays of all samples from the first of these on.
        problem.counts += first * settings * batch.visits.count
        problem.totals += first * settings
        let modes = first * batch.points * batch.modeCount
        problem.image.energies += modes
        problem.image.velocities += 3 * modes
        problem.image.amplitudes += 4 * batch.sites.count * modes
        problem.bases = pointer(baseMemory)
        problem.bundles = mutablePointer(bundleMemory)
        problem.bundle_count = Int64(all)
        try device.launch(visit(count), problem)
        let most = max(1, ((bundles.max() ?? 0) * batch.twins.count + 127) / 128)
        defer { withExtendedLifetime((baseMemory, bundleMemory)) {} }
        if batch.problem.finest > 0 { return try depositParts(problem, samples: count, columns: most, budget: budget) }
        let gaussians = try device.memory(
            bytes: max(1, all) * batch.twins.count * MemoryLayout<sw_image_gaussian>.stride)
        problem.gaussians = mutablePointer(gaussians)
        defer { withExtendedLifetime(gaussians) {} }
        return try deposit(problem, samples: count, columns: most)
    }

    /// The images of cells that are cut into parts: of as many samples at once as their Gaussians leave room for.
    ///
    /// - Parameter columns: blocks that see to the bundles of a sample and setting.
    private func depositParts(
        _ collected: sw_image_device_problem, samples: Int, columns: Int, budget: Int
    ) throws -> [DeviceImage<Device.Memory>] {
        let (settings, twins) = (batch.settingCount, batch.twins.count)
        let counts = try device.memory(bytes: 8 * max(1, Int(collected.bundle_count) * twins))
        let totals = try device.memory(bytes: 8 * samples * settings * twins)
        var problem = collected
        problem.part_counts = mutablePointer(counts)
        problem.part_totals = mutablePointer(totals)
        try device.launch(
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_spread", columns: columns, rows: samples * settings,
                threads: 128), problem)
        try device.launch(
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_order", columns: samples * settings * twins,
                threads: 256), problem)
        let parts = try device.read(Int64.self, count: samples * settings * twins, from: totals).map(Int.init)
        var images: [DeviceImage<Device.Memory>] = []
        while images.count < samples {
            let first = images.count
            var bases: [Int64] = []
            var (last, all) = (first, 0)
            while last < samples {
                let some = parts[last * settings * twins..<(last + 1) * settings * twins]
                let more = all + some.reduce(0, +)
                if last > first, more * MemoryLayout<sw_image_gaussian>.stride > budget / 2 { break }
                for number in some {
                    bases.append(Int64(all))
                    all += number
                }
                last += 1
            }
            let baseMemory = try device.memory(of: bases)
            let gaussians = try device.memory(bytes: max(1, all) * MemoryLayout<sw_image_gaussian>.stride)
            var some = problem
            some.totals += first * settings
            some.bases += first * settings
            some.part_totals += first * settings * twins
            some.part_bases = pointer(baseMemory)
            some.gaussians = mutablePointer(gaussians)
            images += try deposit(some, samples: last - first, columns: columns)
            withExtendedLifetime((baseMemory, gaussians)) {}
        }
        withExtendedLifetime((counts, totals)) {}
        return images
    }

    /// Gaussians of bundles, and the images that they make.
    private func deposit(
        _ collected: sw_image_device_problem, samples: Int, columns: Int
    ) throws -> [DeviceImage<Device.Memory>] {
        let settings = batch.settingCount
        let threads = batch.rowThreads(device.sharedBytesPerBlock)
        let images = try device.memory(bytes: 4 * samples * batch.pixels)
        var problem = collected
        problem.sample_count = Int64(samples)
        problem.images = mutablePointer(images)
        try device.launch(
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_spread", columns: columns,
                rows: samples * settings, threads: 128), problem)
        try device.launch(
            KernelLaunch(
                text: "detector_image.cu", kernel: "sw_image_deposit", columns: Int(batch.problem.h_count),
                rows: samples * settings * batch.twins.count, threads: threads,
                sharedBytes: 8 * Int(batch.problem.bin_count) * threads), problem)
        let pixels = try device.read(Float.self, count: samples * batch.pixels, from: images)
        return (0..<samples).map {
            DeviceImage(
                elements: Array(pixels[$0 * batch.pixels..<($0 + 1) * batch.pixels]), memory: images,
                offset: 4 * $0 * batch.pixels)
        }
    }
}

// Addresses of the device, which nobody follows here.
private func pointer<T>(_ memory: (any KernelMemory)?) -> UnsafePointer<T>? {
    memory.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
}

private func mutablePointer<T>(_ memory: (any KernelMemory)?) -> UnsafeMutablePointer<T>? {
    memory.flatMap { UnsafeMutablePointer(bitPattern: UInt($0.address)) }
}
