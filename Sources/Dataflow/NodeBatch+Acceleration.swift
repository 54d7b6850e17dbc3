import CacheStore
import Compute
import Synchronization

/// Missing steps on their way to devices.
extension NodeBatch {
    private struct Queue {
        var waiting: ArraySlice<Int>
        /// Largest batch that found room, by device.
        var sizes: [Int]
        /// What no device could do.
        var left: [Int] = []
    }

    /// Gives steps to the devices of the run: several threads a device take batches from one queue, so that one batch
    /// computes while the next is read and the last is compressed and written.
    ///
    /// - Returns: positions of the steps that are left to the CPU, ascending.
    func accelerate(_ positions: [Int], retries: Bool) throws -> [Int] {
        let accelerators = run.workingAccelerators(for: node.name)
        guard let stage = stage as? any AcceleratedStage, let first = accelerators.first,
            node.obstacle(to: first.accelerator.executor) == nil
        else { return positions }
        let queue = Mutex(
            Queue(
                waiting: positions[...], sizes: accelerators.map { max(1, stage.batchSize(on: $0.accelerator)) }))
        let threadsPerDevice = 2
        try Parallel.forEach(accelerators.count * threadsPerDevice, threads: accelerators.count * threadsPerDevice) {
            [self] worker in
            let device = worker % accelerators.count
            while !run.isStopping, run.isWorking(accelerators[device].index, for: node.name) {
                let (batch, size) = queue.withLock { queue in
                    let batch = Array(queue.waiting.prefix(queue.sizes[device]))
                    queue.waiting = queue.waiting.dropFirst(batch.count)
                    return (batch, queue.sizes[device])
                }
                if batch.isEmpty { return }
                do {
                    try compute(batch, stage, on: accelerators[device].accelerator, retries: retries)
                } catch let failure as AcceleratorFailure {
                    let smaller = failure.isUnfit ? 0 : failure.isFull ? (size > 1 ? (size + 1) / 2 : 0) : size
                    queue.withLock { queue in
                        queue.sizes[device] = min(queue.sizes[device], smaller)
                        if failure.isFull, smaller > 0 {
                            // In front, so that steps are finished in about their order.
                            queue.waiting = batch + queue.waiting
                        } else {
                            queue.left += batch
                        }
                    }
                    if failure.isFull, smaller > 0 { continue }
                    try give(up: accelerators[device], because: failure)
                }
            }
        }
        // A device that is lost leaves what others did not take meanwhile.
        return queue.withLock { ($0.left + $0.waiting).sorted() }
    }

    /// A device that has no room for one step, or no kernel for what flows in, is left alone by this node; one that failed, by all that follow.
    ///
    /// Under strict numerics nobody else may do what the keys say that this device does.
    private func give(up device: Run.Device, because failure: AcceleratorFailure) throws {
        if run.options.strictNumerics {
            throw RunError(
                node: node.name, sample: nil, message: "\(device.accelerator.name) failed: \(failure.reason)",
                hint: "with --strict-numerics the CPU's answers are other records; use --executor cpu for them")
        }
        // Two threads of a device may come here with the same failure.
        if run.lose(device.index, for: failure.isFull || failure.isUnfit ? node.name : nil) {
            run.events(.fallback(node: node.name, device: device.accelerator.name, reason: failure.reason))
        }
    }

    /// One batch from claims to records.
    private func compute(
        _ positions: [Int], _ stage: any AcceleratedStage, on accelerator: any Accelerator, retries: Bool
    ) throws {
        // Inputs are read and decompressed side by side.
        let begun = try Parallel.map(positions.count, threads: run.options.jobs) { [self] index in
            var begun = try begin(positions[index], retries: retries, on: accelerator)
            // What the host has to do for the device.
            begun?.step.threads = run.options.jobs
            return begun
        }.compactMap(\.self)
        if begun.isEmpty { return }
        let began = run.options.clock()
        let results: [Result<StepOutput, StepFailure>]
        do {
            results = try stage.run(begun.map(\.step), on: accelerator)
        } catch {
            for step in begun { release(step) }
            if error is CancellationError { return }
            if error is AcceleratorFailure { throw error }
            throw RunError(node: node.name, sample: nil, message: String(describing: error))
        }
        guard results.count == begun.count else {
            throw RunError(
                node: node.name, sample: nil,
                message: "the stage gave \(results.count) answers for \(begun.count) steps; this is a defect")
        }
        let seconds = run.options.clock() - began
        // A share of the batch's time is what one more step costs.
        let doer = Doer(
            executor: accelerator.executor, machine: "\(run.options.machine); \(accelerator.kind)", began: began,
            seconds: seconds / Double(begun.count), isUrgent: seconds > 1)
        try Parallel.forEach(begun.count, threads: run.options.jobs) { [self] index in
            try conclude(begun[index], results[index], by: doer, on: accelerator)
        }
    }
}

extension Run {
    /// A device and its number among those that the run was given.
    struct Device: Sendable {
        var index: Int
        var accelerator: any Accelerator
    }

    /// Those that have not failed, and not lacked room for this node.
    func workingAccelerators(for node: String) -> [Device] {
        options.accelerators.enumerated().filter { isWorking($0.offset, for: node) }
            .map { Device(index: $0.offset, accelerator: $0.element) }
    }
}
