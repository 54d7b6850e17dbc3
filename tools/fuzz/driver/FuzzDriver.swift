import Foundation
import Fuzz

/// `spinweave-fuzz [NAME…] [--inputs N] [--seed S] [--findings DIR]` tries N inputs of each target, in child processes,
/// so that a crash or a hang ends a batch and not the search; what did it is kept as a file.
///
/// `spinweave-fuzz --batch NAME SEED FROM TO PROGRESS` is such a child.
@main
enum FuzzDriver {
    /// Inputs of one child.
    static let batch = 10_000
    /// A child that tries one input for longer than this hangs.
    static let longest = 20.0

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "--batch" { child(Array(arguments.dropFirst())) }
        var inputs = 1_000_000
        var seed = 1
        var directory = "fuzz-findings"
        var names: [String] = []
        var rest = arguments[...]
        func number(after option: String) -> Int {
            guard let text = rest.popFirst(), let number = Int(text), number >= 0 else {
                refuse("\(option) takes a number")
            }
            return number
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--inputs": inputs = number(after: argument)
            case "--seed": seed = number(after: argument)
            case "--findings":
                guard let folder = rest.popFirst() else { refuse("--findings takes a folder") }
                directory = folder
            default: names.append(argument)
            }
        }
        let known = Fuzz.targets.map { $0.name }
        for name in names where !known.contains(name) {
            refuse("no target '\(name)'; there are \(known.joined(separator: ", "))")
        }
        var found = 0
        for target in Fuzz.targets where names.isEmpty || names.contains(target.name) {
            var search = Search(target: target, seed: seed, inputs: inputs, directory: directory)
            found += search.run()
        }
        exit(found == 0 ? 0 : 1)
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func refuse(_ message: String) -> Never {
        say("error: \(message)")
        exit(64)
    }

    private static func child(_ arguments: [String]) -> Never {
        guard arguments.count == 5, let target = Fuzz.targets.first(where: { $0.name == arguments[0] }),
            let seed = Int(arguments[1]), let from = Int(arguments[2]), let to = Int(arguments[3]), from <= to
        else { refuse("--batch NAME SEED FROM TO PROGRESS") }
        // Eight bytes that the parent can read after whatever happens: the number that is being tried.
        let progress = open(arguments[4], O_WRONLY)
        do {
            try Fuzz.run(target, seed: seed, numbers: from..<to) { number in
                var number = Int64(number)
                pwrite(progress, &number, 8, 0)
            }
        } catch {
            say("\(error)")
            exit(3)
        }
        exit(0)
    }
}

/// All batches of one target, as many at a time as there are cores.
struct Search {
    let target: any FuzzTarget.Type
    let seed: Int
    let inputs: Int
    let directory: String
    private var findings = 0
    private var tried = 0

    init(target: any FuzzTarget.Type, seed: Int, inputs: Int, directory: String) {
        self.target = target
        self.seed = seed
        self.inputs = inputs
        self.directory = directory
    }

    private struct Child {
        var process: Process
        var numbers: Range<Int>
        var progress: String
        var number = -1
        var since = Date()
    }

    /// - Returns: how many inputs crashed, hung or gave what they should not.
    mutating func run() -> Int {
        let began = Date()
        var waiting = stride(from: 0, to: inputs, by: FuzzDriver.batch).map { $0..<min($0 + FuzzDriver.batch, inputs) }
        waiting.reverse()
        var children: [Child] = []
        while !waiting.isEmpty || !children.isEmpty {
            while children.count < ProcessInfo.processInfo.activeProcessorCount, let numbers = waiting.popLast() {
                children.append(start(numbers))
            }
            usleep(20_000)
            for index in children.indices.reversed() {
                let number = Self.number(in: children[index].progress)
                if number != children[index].number {
                    children[index].number = number
                    children[index].since = Date()
                }
                let hangs = -children[index].since.timeIntervalSinceNow > FuzzDriver.longest
                if hangs { kill(children[index].process.processIdentifier, SIGKILL) }
                if children[index].process.isRunning, !hangs { continue }
                let child = children.remove(at: index)
                child.process.waitUntilExit()
                if let rest = finish(child, hung: hangs) { waiting.append(rest) }
            }
        }
        let seconds = -began.timeIntervalSinceNow
        print("\(target.name): \(tried) inputs in \(Int(seconds)) s, \(findings) findings (seed \(seed))")
        return findings
    }

    private func start(_ numbers: Range<Int>) -> Child {
        let progress = NSTemporaryDirectory() + "/fuzz-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: progress, contents: Data(count: 8)) else {
            FuzzDriver.refuse("cannot write '\(progress)'")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "--batch", target.name, String(seed), String(numbers.lowerBound), String(numbers.upperBound), progress,
        ]
        do {
            try process.run()
        } catch {
            FuzzDriver.refuse("cannot start a batch: \(error)")
        }
        return Child(process: process, numbers: numbers, progress: progress)
    }

    /// - Returns: what is left of the batch after the input that ended it.
    private mutating func finish(_ child: Child, hung: Bool) -> Range<Int>? {
        defer { try? FileManager.default.removeItem(atPath: child.progress) }
        let process = child.process
        if process.terminationReason == .exit, process.terminationStatus == 0 {
            tried += child.numbers.count
            return nil
        }
        let number = Self.number(in: child.progress)
        tried += number - child.numbers.lowerBound + 1
        findings += 1
        let what =
            hung
            ? "hangs"
            : process.terminationReason == .exit ? "is wrong" : "crashes (signal \(process.terminationStatus))"
        FuzzDriver.say("\(target.name) input \(number) \(what)")
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let bytes = try Fuzz.input(target, seed: seed, number: number)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/\(target.name)-\(seed)-\(number)"))
        } catch {
            FuzzDriver.say("it could not be kept: \(error)")
        }
        // A hundred are enough to know.
        return findings < 100 && number + 1 < child.numbers.upperBound ? number + 1..<child.numbers.upperBound : nil
    }

    private static func number(in file: String) -> Int {
        guard let data = FileManager.default.contents(atPath: file), data.count >= 8 else { return -1 }
        return data.withUnsafeBytes { Int($0.loadUnaligned(as: Int64.self)) }
    }
}
