import Artifacts
import Foundation
import Glibc
import Synchronization

/// A child process that computes steps: this very program, as `spinweave worker`.
final class WorkerProcess: Sendable {
    let channel: FrameChannel
    private let identifier: pid_t
    /// The status that it left, once it was waited for.
    private let left = Mutex<Int32?>(nil)

    /// Cannot be started.
    struct Unstartable: Error, CustomStringConvertible {
        var reason: Int32
        var description: String {
            "cannot start a worker process: \(String(cString: strerror(reason)))\n"
                + "  hint: nodes with 'limits' are computed in processes of their own; leave 'limits' out, or use fewer --jobs"
        }
    }

    /// - Parameter store: the store's directory.
    init(store: String) throws {
        // One at a time: between the making of a pipe and its closing on exec, no other child may be started. It would keep
        // this one's end of the pipe open.
        (channel, identifier) = try Self.starting.withLock { _ in
            let toChild = try Self.pipe()
            defer { close(toChild.read) }
            let fromChild: (read: Int32, write: Int32)
            do {
                fromChild = try Self.pipe()
            } catch {
                close(toChild.write)
                throw error
            }
            defer { close(fromChild.write) }
            let channel = FrameChannel(input: fromChild.read, output: toChild.write)
            // The file itself and not its path: the program may have been replaced meanwhile.
            let identifier = try Self.spawn(
                "/proc/self/exe", ["spinweave", "worker", "--store", store], input: toChild.read,
                output: fromChild.write)
            return (channel, identifier)
        }
    }

    private static let starting = Mutex(())

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Unstartable(reason: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    deinit { end() }

    private static func spawn(_ path: String, _ arguments: [String], input: Int32, output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // A process group of its own: Ctrl-C reaches the run alone, which tells its workers in order.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw Unstartable(reason: code) }
        return identifier
    }

    /// Bytes of memory that are the process's own, resident or swapped out; nil when it is gone. Pages of the store that it
    /// looks at are not its own.
    var memory: Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8) else { return nil }
        var bytes = 0
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, ["RssAnon:", "RssShmem:", "VmSwap:"].contains(words[0]) else { continue }
            bytes += 1024 * (Int(words[1]) ?? 0)
        }
        return bytes
    }

    /// Whether it was waited for: nobody answers any more.
    var hasEnded: Bool { left.withLock { $0 != nil } }

    /// Ends the process, if it has not ended, and gives its status as `waitpid` does.
    @discardableResult
    func end() -> Int32 {
        left.withLock { left in
            if let left { return left }
            kill(identifier, SIGKILL)
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            left = status
            return status
        }
    }

    /// Waits until the process has ended of itself.
    ///
    /// - Parameter seconds: after these it is ended.
    func status(within seconds: Double) -> Int32 {
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        return left.withLock { left in
            if let left { return left }
            var status: Int32 = 0
            while true {
                let result = waitpid(identifier, &status, WNOHANG)
                if result != 0, !(result < 0 && errno == EINTR) { break }
                if DispatchTime.now().uptimeNanoseconds > deadline { kill(identifier, SIGKILL) }
                usleep(1000)
            }
            left = status
            return status
        }
    }
}
