import Artifacts
import Foundation
import Synchronization

/// Messages between two processes over a pair of pipes: eight bytes of length, lowest first, then the canonical bytes of one
/// value.
///
/// Any thread may send; one at a time receives.
final class FrameChannel: Sendable {
    /// The other side is gone.
    struct Closed: Error {}

    private let input: Int32
    private let output: Int32
    private let sending = Mutex(())

    /// - Parameters: descriptors of pipes, which the channel closes at its end.
    init(input: Int32, output: Int32) {
        (self.input, self.output) = (input, output)
    }

    deinit {
        close(input)
        close(output)
    }

    func send(_ message: Value) throws {
        let bytes = message.encoded().bytes
        var length = UInt64(bytes.count).littleEndian
        try sending.withLock { _ in
            try withUnsafeBytes(of: &length) { try send($0) }
            try bytes.withUnsafeBytes { try send($0) }
        }
    }

    /// The next message; waits for it.
    ///
    /// - Returns: nil when the other side is gone.
    func receive() throws -> Value? {
        var length: UInt64 = 0
        guard try withUnsafeMutableBytes(of: &length, { try fill($0) }) else { return nil }
        let count = UInt64(littleEndian: length)
        // Larger than any artifact: what comes is no message.
        guard count < 1 << 40 else { return nil }
        var isWhole = false
        let bytes = try [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            isWhole = try fill(UnsafeMutableRawBufferPointer(buffer))
            filled = isWhole ? Int(count) : 0
        }
        return isWhole ? try Value(decoding: bytes) : nil
    }

    /// Whether there is something to receive, a message or the end, within so many milliseconds.
    func hasInput(within milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(output, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Closed() }
            rest = rest.dropFirst(count)
        }
    }

    /// - Returns: false when the other side is gone.
    private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = read(input, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddress: UnsafeRawPointer? { base.baseAddress?.advanced(by: startIndex) }
}

extension Slice<UnsafeMutableRawBufferPointer> {
    fileprivate var baseAddress: UnsafeMutableRawPointer? { base.baseAddress?.advanced(by: startIndex) }
}
