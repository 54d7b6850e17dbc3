import CKernels
import Compute
import Devices

/// The kernel on a CUDA device: `magnons.cu`, which has the equations and loops of the host's.
extension MagnonKernel {
    /// As `solve(phases:_:sight:level:)`, with the pivots by which unstable points were found out.
    ///
    /// Energies agree with the host's to 1e-9 of the bandwidth; a point's answer does not depend on what other points are solved with
    /// it, bit by bit.
    ///
    /// - Parameter memoryShare: how much of the device's free memory may be taken.
    /// - Parameter largestBatch: wavevectors solved at once; memory allows fewer or as many.
    /// - Throws: what the device throws.
    func solve<Device: KernelDevice>(
        phases: [Complex], _ request: Request, sight: Sight? = nil, on device: Device,
        memoryShare: Double = 0.5,
        largestBatch: Int = 1 << 16, team: Int? = nil
    ) throws -> (answer: Answer, pivots: [Int32]) {
        let found = try Self.solve(
            [self], phases: phases, request, sight: sight, on: device, memoryShare: memoryShare,
            largestBatch: largestBatch, team: team)
        return found[0]
    }

    /// Whether two Hamiltonians can be on a device together: alike in all but numbers.
    func isAlike(_ other: MagnonKernel) -> Bool {
        let (mine, others) = (hamiltonian, other.hamiltonian)
        return mine.reduction == others.reduction && mine.spins == others.spins
            && mine.windings == others.windings
            && mine.blocks.map(\.size) == others.blocks.map(\.size)
            && mine.blocks.map(\.modeCount) == others.blocks.map(\.modeCount)
            && mine.blocks.map(\.inQuadratures) == others.blocks.map(\.inQuadratures)
    }

    /// What is done with results on the device: of Hamiltonians from `first` on, all of whose wavevectors were solved at once.
    typealias Keeping<Memory: KernelMemory> = (_ first: Int, _ results: MagnonDeviceResults<Memory>) throws -> Void

    /// Many Hamiltonians that are alike, at the same wavevectors; `sight`, which is of points, with one Hamiltonian alone.
    static func solve<Device: KernelDevice>(
        _ kernels: [MagnonKernel], phases: [Complex], _ request: Request, sight: Sight? = nil,
        on device: Device,
        memoryShare: Double = 0.5, largestBatch: Int = 1 << 16, team: Int? = nil,
        keeping: Keeping<Device.Memory>? = nil
    ) throws -> [(answer: Answer, pivots: [Int32])] {
        guard let first = kernels.first else { return [] }
        precondition(
            sight == nil || kernels.count == 1, "what is seen belongs to the points of one Hamiltonian")
        precondition(kernels.allSatisfy(first.isAlike), "the Hamiltonians are alike")
        let wavevectors = phases.count / first.windingCount
        precondition(
            wavevectors * first.windingCount == phases.count, "phases are a row for each point")
        let nothing = (
            answer: Answer(isUnstable: [], isRegularised: [], isConverged: []), pivots: [Int32]()
        )
        var found = Array(repeating: nothing, count: kernels.count)
        if wavevectors == 0 { return found }
        func batch(_ kernels: [MagnonKernel]) -> MagnonDeviceBatch {
            let plan = MagnonDevicePlan(
                kernels, sharedBytesPerBlock: device.sharedBytesPerBlock, sees: request.contains(.intensities),
                team: team)
            return MagnonDeviceBatch(kernels, plan, request, seesWith: sight?.axes ?? [])
        }
        let one = batch([first])
        let budget =
            memoryShare * Double(try device.freeBytes()) - Double(one.fixedBytes(device.multiprocessors))
        // Each Hamiltonian has tables of its own.
        let slots = max(
            1,
            min(largestBatch, Int(budget / Double(one.bytesPerPoint + one.tableBytes / wavevectors + 1))))
        let together = max(1, slots / wavevectors)
        let width = min(wavevectors, slots)
        for begin in stride(from: 0, to: kernels.count, by: together) {
            let some = Array(kernels[begin..<min(kernels.count, begin + together)])
            let room = try MagnonDeviceRoom(
                some.count == 1 && begin == 0 ? one : batch(some), wavevectors: width, on: device)
            for start in stride(from: 0, to: wavevectors, by: width) {
                let range = start..<min(wavevectors, start + width)
                let n = first.siteCount
                let part = sight.map { sight in
                    Sight(
                        weights: Array(sight.weights[range.lowerBound * n..<range.upperBound * n]),
                        directions: Array(sight.directions[range]), axes: sight.axes)
                }
                let row = first.windingCount
                let answers = try room.solve(
                    phases: Array(phases[range.lowerBound * row..<range.upperBound * row]), part
                ) { results in
                    if width == wavevectors { try keeping?(begin, results) }
                }
                for (index, more) in answers.enumerated() {
                    found[begin + index].answer.append(more.answer)
                    found[begin + index].pivots += more.pivots
                }
            }
        }
        return found
    }
}

extension MagnonKernel.Answer {
    /// Adds the answer for further points.
    fileprivate mutating func append(_ other: MagnonKernel.Answer) {
        energies += other.energies
        amplitudes += other.amplitudes
        velocities += other.velocities
        intensities += other.intensities
        particles += other.particles
        isUnstable += other.isUnstable
        isRegularised += other.isRegularised
        isConverged += other.isConverged
    }
}

/// What is asked of a device, whatever the number of points: sizes, and what the results are.
struct MagnonDeviceBatch {
    let kernels: [MagnonKernel]
    let plan: MagnonDevicePlan
    let request: MagnonKernel.Request
    let axes: [Double]

    init(
        _ kernels: [MagnonKernel], _ plan: MagnonDevicePlan, _ request: MagnonKernel.Request,
        seesWith axes: [(Vector3, Vector3)]
    ) {
        self.kernels = kernels
        self.plan = plan
        self.request = request
        self.axes = axes.flatMap { [$0.0.x, $0.0.y, $0.0.z, $0.1.x, $0.1.y, $0.1.z] }
    }

    /// They are alike: the first stands for all where sizes are asked for.
    var kernel: MagnonKernel { kernels[0] }
    var wanted: Int { request.isEmpty ? 0 : request.isSubset(of: .energies) ? 1 : 2 }
    var sees: Bool { request.contains(.intensities) }

    /// Doubles that a point has of each array: what comes in, what passes between kernels, what comes out.
    enum Part: CaseIterable {
        case phases, weights, directions
        case matrices, lines, rotations, modeEnergies, modeParticles, modeIntensities, modeVelocities,
            modeAmplitudes
        case energies, particles, intensities, velocities, amplitudes
    }

    func doubles(_ part: Part) -> Int {
        let (modes, blocks, n, sites) = (plan.modeCount, plan.blockCount, plan.pitch, kernel.siteCount)
        let orbits = kernel.hamiltonian.reduction.representatives.count
        let (solves, hasModes) = (wanted > 0, wanted > 1)
        let hasVelocities = request.contains(.velocities)
        // What passes from one kernel to the next.
        let passes = !plan.isSmall
        return switch part {
        case .phases: 2 * kernel.windingCount
        case .weights: sees ? 2 * sites : 0
        case .directions: sees ? 3 : 0
        case .matrices: hasModes && passes ? 2 * blocks * n * n : 0
        case .lines: solves && passes ? 6 * blocks * n : 0
        case .rotations: hasModes ? 2 * blocks * plan.rotationCapacity : 0
        case .modeEnergies, .energies: solves ? modes : 0
        case .modeParticles, .particles: hasModes ? modes : 0
        case .modeIntensities, .intensities: sees ? modes : 0
        case .modeVelocities, .velocities: hasVelocities ? 3 * modes : 0
        case .modeAmplitudes: hasModes && (passes || request.contains(.amplitudes)) ? 4 * modes * orbits : 0
        case .amplitudes: request.contains(.amplitudes) ? 4 * modes * sites : 0
        }
    }

    /// Bytes that each point takes of the device.
    var bytesPerPoint: Int {
        let numbers = Part.allCases.reduce(0) { $0 + doubles($1) }
        let integers = plan.blockCount * (2 * plan.rotationCapacity + 8) + 9
        return 8 * numbers + integers
    }

    /// Bytes of the tables.
    var tableBytes: Int {
        plan.blocks.count * MemoryLayout<sw_magnon_device_block>.stride
            + plan.cells.count * MemoryLayout<sw_magnon_cell>.stride
            + plan.entries.count * MemoryLayout<sw_magnon_entry>.stride + 4 * plan.integers.count
            + 8 * (plan.doubles.count + kernel.windings.count + axes.count)
            + kernel.sites.count * MemoryLayout<sw_magnon_site>.stride + 8
    }

    /// Bytes besides those of points.
    func fixedBytes(_ multiprocessors: Int) -> Int {
        tableBytes + 8 * spillBlocks(multiprocessors) * plan.spill
    }

    func spillBlocks(_ multiprocessors: Int) -> Int {
        plan.spill > 0 ? MagnonDevicePlan.spillingBlocks * multiprocessors * plan.blockCount : 0
    }
}

/// What a batch leaves on the device, of one sample after the other: double precision, points by modes as in `MagnonKernel.Answer`.
struct MagnonDeviceResults<Memory: KernelMemory> {
    let samples: Int
    let status, energies, particles, velocities, amplitudes: Memory
}

/// A device's memory for a number of points, used for one batch after the other.
private struct MagnonDeviceRoom<Device: KernelDevice> {
    private let device: Device
    private let batch: MagnonDeviceBatch
    private var memory: [MagnonDeviceBatch.Part: Device.Memory] = [:]
    private let tables: [Device.Memory]
    private let list, status, pivots: Device.Memory
    private var problem = sw_magnon_device_problem()

    /// - Parameter wavevectors: the most at once, of each Hamiltonian.
    init(_ batch: MagnonDeviceBatch, wavevectors: Int, on device: Device) throws {
        self.device = device
        self.batch = batch
        let slots = batch.kernels.count * wavevectors
        let (plan, kernel) = (batch.plan, batch.kernel)
        let blocks = plan.blockCount
        for part in MagnonDeviceBatch.Part.allCases where batch.doubles(part) > 0 {
            memory[part] = try device.memory(bytes: 8 * slots * batch.doubles(part))
        }
        list = try device.memory(bytes: 4 * slots)
        status = try device.memory(bytes: slots)
        pivots = try device.memory(bytes: 4 * slots)
        let spillBlocks = batch.spillBlocks(device.multiprocessors)
        tables = try [
            device.memory(of: plan.blocks), device.memory(of: plan.cells),
            device.memory(of: plan.entries),
            device.memory(of: plan.integers), device.memory(of: plan.doubles),
            device.memory(of: kernel.sites),
            device.memory(of: kernel.windings), device.memory(of: batch.axes),
            device.memory(bytes: max(8, 8 * spillBlocks * plan.spill)),
            device.memory(bytes: max(8, 2 * slots * blocks * plan.rotationCapacity)),
            device.memory(bytes: 4 * slots * blocks),
            device.memory(bytes: 4 * slots * blocks),
            device.memory(of: batch.kernels.map { Colpa.regularisation * $0.hamiltonian.scale }),
        ]
        problem.winding_count = Int32(kernel.windingCount)
        problem.site_count = Int32(kernel.siteCount)
        problem.orbit_count = Int32(kernel.hamiltonian.reduction.representatives.count)
        problem.block_count = Int32(blocks)
        problem.mode_count = Int32(plan.modeCount)
        problem.pitch = Int32(plan.pitch)
        problem.wanted = Int32(batch.wanted)
        problem.rotation_capacity = Int32(plan.rotationCapacity)
        problem.spill_stride = Int64(plan.spill)
        // Addresses of the device, which nobody follows here.
        problem.blocks = pointer(tables[0])
        problem.cells = pointer(tables[1])
        problem.entries = pointer(tables[2])
        problem.integers = pointer(tables[3])
        problem.doubles = pointer(tables[4])
        problem.sites = pointer(tables[5])
        problem.windings = pointer(tables[6])
        problem.axes = pointer(tables[7])
        problem.spill = mutablePointer(tables[8])
        problem.columns = mutablePointer(tables[9])
        problem.rotation_count = mutablePointer(tables[10])
        problem.breakdown = mutablePointer(tables[11])
        problem.shifts = pointer(tables[12])
        problem.status = mutablePointer(status)
        problem.pivots = mutablePointer(pivots)
        problem.phases = pointer(memory[.phases])
        problem.weights = pointer(memory[.weights])
        problem.directions = pointer(memory[.directions])
        problem.matrices = mutablePointer(memory[.matrices])
        problem.lines = mutablePointer(memory[.lines])
        problem.rotations = mutablePointer(memory[.rotations])
        problem.mode_energies = mutablePointer(memory[.modeEnergies])
        problem.mode_particles = mutablePointer(memory[.modeParticles])
        problem.mode_intensities = mutablePointer(memory[.modeIntensities])
        problem.mode_velocities = mutablePointer(memory[.modeVelocities])
        problem.mode_amplitudes = mutablePointer(memory[.modeAmplitudes])
        problem.energies = mutablePointer(memory[.energies])
        problem.particles = mutablePointer(memory[.particles])
        problem.intensities = mutablePointer(memory[.intensities])
        problem.velocities = mutablePointer(memory[.velocities])
        problem.amplitudes = mutablePointer(memory[.amplitudes])
    }

    /// Solves every Hamiltonian at the same wavevectors.
    ///
    /// - Parameter keeping: given what is on the device, before it is read.
    func solve(
        phases: [Complex], _ sight: MagnonKernel.Sight?,
        keeping: (MagnonDeviceResults<Device.Memory>) throws -> Void
    ) throws -> [(answer: MagnonKernel.Answer, pivots: [Int32])] {
        let samples = batch.kernels.count
        let wavevectors = phases.count / batch.kernel.windingCount
        let points = samples * wavevectors
        if let memory = memory[.phases] {
            try device.write(phases.flatMap { [$0.re, $0.im] }, to: memory)
        }
        if let sight {
            if let memory = memory[.weights] {
                try device.write(sight.weights.flatMap { [$0.re, $0.im] }, to: memory)
            }
            if let memory = memory[.directions] {
                try device.write(sight.directions.flatMap { [$0.x, $0.y, $0.z] }, to: memory)
            }
        }
        var problem = problem
        problem.slot_count = Int64(points)
        problem.sample_points = Int64(wavevectors)
        try run(problem)
        // Where Cholesky failed, once more with the shift.
        var states = try device.read(UInt8.self, count: points, from: status)
        let failed = states.indices.filter { states[$0] & UInt8(SW_MAGNON_REGULARISED) != 0 }
        if !failed.isEmpty {
            try device.write(failed.map(Int32.init), to: list)
            problem.list = pointer(list)
            problem.slot_count = Int64(failed.count)
            problem.attempt = 1
            try run(problem)
            states = try device.read(UInt8.self, count: points, from: status)
        }
        if let energies = memory[.energies], let particles = memory[.particles], let velocities = memory[.velocities],
            let amplitudes = memory[.amplitudes]
        {
            try keeping(
                MagnonDeviceResults(
                    samples: samples, status: status, energies: energies, particles: particles,
                    velocities: velocities, amplitudes: amplitudes))
        }
        let pivots = try device.read(Int32.self, count: points, from: self.pivots)
        func read(_ part: MagnonDeviceBatch.Part) throws -> [Double] {
            guard let memory = memory[part] else { return [] }
            return try device.read(Double.self, count: points * batch.doubles(part), from: memory)
        }
        var all = MagnonKernel.Answer(
            isUnstable: states.map { $0 & UInt8(SW_MAGNON_UNSTABLE) != 0 },
            isRegularised: states.map { $0 & UInt8(SW_MAGNON_REGULARISED) != 0 },
            isConverged: states.map { $0 & UInt8(SW_MAGNON_NOT_CONVERGED) == 0 })
        all.energies = try read(.energies)
        all.particles = try read(.particles)
        all.intensities = try read(.intensities)
        all.velocities = try read(.velocities)
        all.amplitudes = try read(.amplitudes)
        return (0..<samples).map { sample in
            func share<T>(_ values: [T]) -> [T] {
                let count = values.count / samples
                return samples == 1 ? values : Array(values[sample * count..<(sample + 1) * count])
            }
            var one = MagnonKernel.Answer(
                isUnstable: share(all.isUnstable), isRegularised: share(all.isRegularised),
                isConverged: share(all.isConverged))
            one.energies = share(all.energies)
            one.particles = share(all.particles)
            one.intensities = share(all.intensities)
            one.velocities = share(all.velocities)
            one.amplitudes = share(all.amplitudes)
            return (one, share(pivots))
        }
    }

    private func run(_ problem: sw_magnon_device_problem) throws {
        let launches = batch.plan.launches(
            slots: Int(problem.slot_count), wanted: batch.wanted, multiprocessors: device.multiprocessors)
        for launch in launches { try device.launch(launch, problem) }
    }
}

private func pointer<T>(_ memory: (any KernelMemory)?) -> UnsafePointer<T>? {
    memory.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
}

private func mutablePointer<T>(_ memory: (any KernelMemory)?) -> UnsafeMutablePointer<T>? {
    memory.flatMap { UnsafeMutablePointer(bitPattern: UInt($0.address)) }
}
