import Foundation

/// A program run to its end, with what it cost. All unsafe use of the system's process calls is in this file.
enum ChildProcess {
    struct Cost {
        var wallSeconds: Double
        /// User and system time of all its threads.
        var cpuSeconds: Double
        /// The largest resident set.
        var peakBytes: Int
    }

    /// Its output is thrown away; anything but success is an error.
    static func run(_ program: String, _ arguments: [String]) throws -> Cost {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        var status: Int32 = 0
        var usage = rusage()
        let wall = try elapsed {
            guard posix_spawn(&process, program, &actions, nil, words, environ) == 0 else {
                throw BenchmarkFailure(description: "could not start \(program)")
            }
            while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        }
        guard status == 0 else {
            throw BenchmarkFailure(description: "\(program) \(arguments.joined(separator: " ")) ended with \(status)")
        }
        return Cost(
            wallSeconds: wall, cpuSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime),
            peakBytes: usage.ru_maxrss * 1024)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
}
