import CCUDA
import Synchronization

/// Pinned memory of a fixed size, through which copies of any size pass between the host and a device.
///
/// Two blocks take turns: the host fills or empties one while the stream copies the other. A block is used anew when the stream has come
/// past its last copy, by an event; until then the host waits.
final class PinnedStaging: Sendable {
    /// Bytes of each of the two blocks where nobody says otherwise.
    static let usualBlock = 16 << 20

    let stream: CUDAStream
    private let size: Int
    private let state: Mutex<State>

    private struct State {
        var blocks: [Block]
        var current = 0
    }

    private struct Block {
        var memory: PinnedBuffer<UInt8>
        var used = 0
        /// Past its copies, from the moment on at which the other block's turn came.
        var end: CUDAEvent?
    }

    /// - Parameter size: of each block, bytes.
    init(_ stream: CUDAStream, size: Int = usualBlock) throws(DeviceError) {
        self.stream = stream
        self.size = size
        let first = try PinnedBuffer<UInt8>(count: size, for: stream.device)
        let second = try PinnedBuffer<UInt8>(count: size, for: stream.device)
        state = Mutex(State(blocks: [Block(memory: first), Block(memory: second)]))
    }

    deinit {
        // Copies that are under way have this memory.
        try? stream.synchronize()
    }

    /// Gives the stream copies of `source`, which may be changed as soon as this returns.
    func write(_ source: UnsafeRawBufferPointer, to address: sw_cu_address) throws(DeviceError) {
        let functions = stream.device.driver.functions
        try state.withLock { state throws(DeviceError) in
            var done = 0
            while done < source.count {
                let count = min(source.count - done, size)
                let place = try room(count, in: &state)
                place.copyMemory(from: source.baseAddress! + done, byteCount: count)
                let status = functions.copy_to_device(address + UInt64(done), place, count, stream.handle)
                try stream.device.check(status, "cuMemcpyHtoDAsync")
                done += count
            }
        }
    }

    /// Fills `target` with what the stream's work so far leaves at `address`; waits for it.
    func read(into target: UnsafeMutableRawBufferPointer, from address: sw_cu_address) throws(DeviceError) {
        let functions = stream.device.driver.functions
        try state.withLock { state throws(DeviceError) in
            var asked = 0
            // What is on its way while the next is asked for.
            var onItsWay: (place: UnsafeMutableRawPointer, at: Int, count: Int, event: CUDAEvent)?
            while asked < target.count || onItsWay != nil {
                var next: (place: UnsafeMutableRawPointer, at: Int, count: Int, event: CUDAEvent)?
                if asked < target.count {
                    let count = min(target.count - asked, size)
                    let place = try room(count, in: &state)
                    let status = functions.copy_to_host(place, address + UInt64(asked), count, stream.handle)
                    try stream.device.check(status, "cuMemcpyDtoHAsync")
                    next = (place, asked, count, try stream.record())
                    asked += count
                }
                if let some = onItsWay {
                    try some.event.synchronize()
                    (target.baseAddress! + some.at).copyMemory(from: some.place, byteCount: some.count)
                }
                onItsWay = next
            }
        }
    }

    /// Room that no copy under way has.
    private func room(_ count: Int, in state: inout State) throws(DeviceError) -> UnsafeMutableRawPointer {
        if state.blocks[state.current].used + count > size {
            state.blocks[state.current].end = try stream.record()
            state.current = 1 - state.current
            if let end = state.blocks[state.current].end { try end.synchronize() }
            state.blocks[state.current].used = 0
        }
        let used = state.blocks[state.current].used
        // Each at a multiple of 256 bytes, as the device's memory begins.
        state.blocks[state.current].used = min(size, (used + count + 255) / 256 * 256)
        return state.blocks[state.current].memory.address + used
    }
}
