import Artifacts
import Devices
import Synchronization

/// What a stage left of an artifact on a device.
protocol Resident: Sendable {
    /// Of the device's memory.
    var bytes: Int { get }
    /// The stream that made it, and that its memory belongs to.
    var stream: CUDAStream { get }
    /// Whether older ones go where there is no room for it.
    var displaces: Bool { get }
}

extension Resident {
    var displaces: Bool { true }
}

/// The artifacts that a device still has, by their digests: no more than a bound, those that were asked for longest ago go first.
///
/// Whoever was given one keeps it while it is used; the device's memory is free when nobody has it any more.
public final class ResidentArtifacts: Sendable {
    private struct Entry {
        var resident: any Resident
        /// When it was kept or asked for, counted in such events.
        var moment: Int
    }

    private struct State {
        var entries: [Digest: Entry] = [:]
        var bytes = 0
        var moment = 0
        var found = 0
        var missed = 0
    }

    /// Bytes; 0 keeps nothing.
    public let bound: Int
    private let state = Mutex(State())

    public init(bound: Int) { self.bound = bound }

    /// Bytes that are kept now.
    public var bytes: Int { state.withLock { $0.bytes } }
    /// How often something was asked for that was there, and that was not.
    public var found: Int { state.withLock { $0.found } }
    public var missed: Int { state.withLock { $0.missed } }

    func keep(_ resident: any Resident, of digest: Digest) {
        // Ends outside the lock: giving memory back calls the driver.
        var gone: [any Resident] = []
        state.withLock { state in
            if resident.bytes > bound { return }
            if !resident.displaces, state.bytes + resident.bytes > bound { return }
            state.moment += 1
            if let old = state.entries.updateValue(Entry(resident: resident, moment: state.moment), forKey: digest) {
                state.bytes -= old.resident.bytes
                gone.append(old.resident)
            }
            state.bytes += resident.bytes
            while state.bytes > bound, let oldest = state.entries.min(by: { $0.value.moment < $1.value.moment }) {
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.resident.bytes
                gone.append(oldest.value.resident)
            }
        }
        withExtendedLifetime(gone) {}
    }

    func resident(of digest: Digest) -> (any Resident)? {
        state.withLock { state in
            state.moment += 1
            guard let entry = state.entries[digest] else {
                state.missed += 1
                return nil
            }
            state.entries[digest]?.moment = state.moment
            state.found += 1
            return entry.resident
        }
    }

    /// Gives all memory back, and waits until it is there for others.
    ///
    /// - Returns: false where there was none.
    func release() throws(DeviceError) -> Bool {
        var gone = state.withLock { state in
            defer { (state.entries, state.bytes) = ([:], 0) }
            return state.entries.values.map(\.resident)
        }
        if gone.isEmpty { return false }
        var streams: [ObjectIdentifier: CUDAStream] = [:]
        for resident in gone { streams[ObjectIdentifier(resident.stream)] = resident.stream }
        gone = []
        for stream in streams.values { try stream.synchronize() }
        return true
    }
}
