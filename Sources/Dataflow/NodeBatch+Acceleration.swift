import CacheStore
import Compute
import Synchronization

/// Missing steps on their way to devices.
extension NodeBatch {
    private struct Queue {
        var waiting: ArraySlice<Int>
        /// Largest batch that found room, by device.
        var sizes: [Int]
        /// Batches under way, by device, and whether it has had another try alone with a step that found no room.
        var busy: [Int]
        var hasTriedAlone: [Bool]
        /// What no device could do.
        var left: [Int] = []

        enum Next { case again, leaveToOther, giveUp }

        /// What a thread of a device does after a batch that failed. One step for which there is no room beside another of the device's is done
        /// after that one, and once more alone, before the device is said to have no room for it.
        mutating func goOn(after failure: AcceleratorFailure, _ batch: [Int], size: Int, _ device: Int) -> Next {
            busy[device] -= 1
            // In front, so that steps are finished in about their order.
            let isAlone = busy[device] == 0
            if !failure.isFull || failure.isUnfit || (size == 1 && isAlone && hasTriedAlone[device]) {
                left += batch
                return .giveUp
            }
            waiting = batch + waiting
            if size > 1 {
                sizes[device] = min(sizes[device], (size + 1) / 2)
                return .again
            }
            hasTriedAlone[device] = hasTriedAlone[device] || isAlone
            return isAlone ? .again : .leaveToOther
        }
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
                waiting: positions[...], sizes: accelerators.map { max(1, stage.batchSize(on: $0.accelerator)) },
                busy: accelerators.map { _ in 0 }, hasTriedAlone: accelerators.map { _ in false }))
        let threadsPerDevice = 2
        try Parallel.forEach(accelerators.count * threadsPerDevice, threads: accelerators.count * threadsPerDevice) {
            [self] worker in
            let device = worker % accelerators.count
            while !run.isStopping, run.isWorking(accelerators[device].index, for: node.name) {
                let (batch, size) = queue.withLock { queue in
                    let batch = Array(queue.waiting.prefix(queue.sizes[device]))
                    queue.waiting = queue.waiting.dropFirst(batch.count)
                    queue.busy[device] += batch.isEmpty ? 0 : 1
                    return (batch, queue.sizes[device])
                }
                if batch.isEmpty { return }
                do {
                    try compute(batch, stage, on: accelerators[device].accelerator, retries: retries)
                    queue.withLock { $0.busy[device] -= 1 }
                } catch let failure as AcceleratorFailure {
                    let next = queue.withLock { $0.goOn(after: failure, batch, size: size, device) }
                    switch next {
                    case .again: continue
                    case .leaveToOther: return
                    case .giveUp: try give(up: accelerators[device], because: failure)
                    }
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
