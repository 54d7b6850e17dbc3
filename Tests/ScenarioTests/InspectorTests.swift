import Foundation
import Glibc
import Testing

/// `spinweave-cache` as a user starts it, on the store of the small quick graph.
@Suite("The inspector")
struct InspectorTests {
    private struct NodeList: Decodable {
        struct Node: Decodable {
            var node: String
            var samples: [Int]
        }

        var nodes: [Node]
        var omitted: Int
    }

    private struct Tree: Decodable {
        struct Lineage: Decodable {
            struct Group: Decodable {
                var id: Int
                var node: String
                var samples: [Int]
                var inputs: [Link]
            }

            struct Link: Decodable {
                var port: String
                var group: Int?
                var end: String?
            }

            var groups: [Group]
            var root: Int
        }

        var lineage: Lineage
    }

    private func answer<T: Decodable>(_ type: T.Type, _ arguments: String...) throws -> T {
        let workplace = try QuickGraph.finished.get()
        let outcome = try Program.inspector.start(
            arguments + ["--store", "store", "--json"], in: workplace.folder
        ).wait()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(type, from: Data(outcome.output.utf8))
    }

    @Test("noisy images are chosen by the exchange they were simulated with")
    func whereBefore() throws {
        // The two halves of a split by a parameter are the whole, and neither is empty: the draws are spread.
        func samples(_ condition: String) throws -> [Int] {
            try answer(NodeList.self, "ls", "--node", "noise@dimer", "--where", condition).nodes.flatMap(\.samples)
        }
        let name = try #require(try parameterOfDimer())
        let values = name.values.sorted()
        let middle = (values[3] + values[4]) / 2
        let (low, high) = (try samples("\(name.name) < \(middle) meV"), try samples("\(name.name) >= \(middle) meV"))
        #expect(low.count == 4 && high.count == 4)
        #expect(Set(low).union(high) == Set(0..<8))
    }

    /// One of the drawn parameters of the class, with its values by sample.
    private func parameterOfDimer() throws -> (name: String, values: [Double])? {
        struct Show: Decodable {
            struct Value: Decodable { var parameters: [String: Double] }
            var value: Value
        }
        let sets = try (0..<8).map { try answer(Show.self, "show", "parameters@dimer#\($0)").value.parameters }
        for name in sets[0].keys.sorted() {
            let values = sets.compactMap { $0[name] }
            if Set(values).count == 8 { return (name, values) }
        }
        return nil
    }

    @Test("the verdict's lineage goes back to the drawn parameters of every class, each node once")
    func tree() throws {
        let lineage = try answer(Tree.self, "tree", "verdict").lineage
        let nodes = lineage.groups.map(\.node)
        for node in ["verdict", "network", "noise@dimer", "spectra@dimer", "parameters@dimer", "resolution", "mask"] {
            #expect(nodes.filter { $0 == node }.count == 1, "\(node)")
        }
        #expect(lineage.groups.first { $0.node == "noise@dimer" }?.samples == Array(0..<8))
        #expect(lineage.groups.allSatisfy { $0.inputs.allSatisfy { $0.end == nil } })
    }

    @Test("a picture is written, and what has no array has none")
    func picture() throws {
        let workplace = try QuickGraph.workplace()
        let drawn = try workplace.inspector("show", "noise@dimer#3", "--png", "noise.png", "--store", "store")
        #expect(drawn.status == 0, "\(drawn.errors)")
        #expect(drawn.output.contains("\n  picture: noise.png\n"))
        #expect(try Data(contentsOf: workplace.path("noise.png")).starts(with: [0x89, 0x50, 0x4E, 0x47]))
        // Standard output is a file here: no colours.
        #expect(!drawn.output.contains("\u{1B}"))
        let none = try workplace.inspector("show", "parameters@dimer#3", "--png", "none.png", "--store", "store")
        #expect(none.status == 64)
        #expect(none.errors == "error: parameters@dimer#3 has no array to make a picture of\n")
    }

    @Test("what is pinned survives a collection of everything, and the graph runs up to it with nothing computed")
    func pins() throws {
        let workplace = try QuickGraph.workplace()
        func inspect(_ arguments: String...) throws -> Program.Outcome {
            try Program.inspector.start(arguments + ["--store", "store"], in: workplace.folder).wait()
        }
        let pinned = try inspect("pin", "noise@dimer", "--name", "kept")
        #expect(pinned.status == 0, "\(pinned.errors)")
        // Eight samples of noise, images, spectra and parameters, the mask and the resolution.
        #expect(pinned.output == "pinned as 'kept': 34 steps\n")
        #expect(try inspect("pins").output.contains("kept  noise@dimer     34"))
        let collected = try inspect("gc", "--older-than", "0")
        #expect(collected.status == 0, "\(collected.errors)")
        let nodes = Set(try workplace.records().map(\.node))
        #expect(nodes == ["noise@dimer", "images@dimer", "spectra@dimer", "parameters@dimer", "mask", "resolution"])
        let misspelled = try inspect("unpin", "kep")
        #expect(misspelled.status == 64)
        #expect(misspelled.errors == "error: the store 'store' has no pin 'kep'\n  hint: did you mean 'kept'?\n")
        #expect(try inspect("unpin", "kept").output == "unpinned 'kept'\n")
        #expect(try inspect("pins").output == "no pins\n")
    }

    @Test("the full-screen view needs a terminal and says so")
    func noTerminal() throws {
        let workplace = try QuickGraph.finished.get()
        let outcome = try workplace.inspector("ui", "--store", "store")
        #expect(outcome.status == 64)
        #expect(
            outcome.errors == """
                error: the full-screen view needs a terminal
                  hint: 'spinweave-cache ls' and 'show' answer in lines

                """)
        #expect(outcome.output.isEmpty)
    }

    /// Ends of the full-screen view: the terminal must be as it was after each.
    enum End: String, CaseIterable, CustomTestStringConvertible {
        case quit, interrupt, terminated, crashed, hungUp

        var testDescription: String { rawValue }
        var bytes: [UInt8] { self == .quit ? [UInt8(ascii: "q")] : self == .interrupt ? [3] : [] }
        var signal: Int32? {
            switch self {
            case .terminated: SIGTERM
            case .crashed: SIGSEGV
            case .hungUp: SIGHUP
            default: nil
            }
        }
    }

    @Test("the full-screen view leaves the terminal as it was, however it ends", arguments: End.allCases)
    func terminal(end: End) throws {
        let workplace = try QuickGraph.finished.get()
        var (terminal, line): (Int32, Int32) = (-1, -1)
        try #require(openpty(&terminal, &line, nil, nil, nil) == 0)
        defer { for descriptor in [terminal, line] { close(descriptor) } }
        var before = termios()
        tcgetattr(line, &before)

        let process = Process()
        process.executableURL = Program.inspector.executable
        process.arguments = ["ui", "--store", "store"]
        process.currentDirectoryURL = workplace.folder
        process.standardInput = FileHandle(fileDescriptor: line, closeOnDealloc: false)
        process.standardOutput = FileHandle(fileDescriptor: line, closeOnDealloc: false)
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()

        var written = ""
        // Sixty seconds are for a machine that is busy with other tests; the screen comes at once.
        func read(until text: String) {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let deadline = Date().addingTimeInterval(60)
            while !written.contains(text), Date() < deadline {
                var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
                if poll(&waiting, 1, 100) <= 0 { continue }
                let count = Glibc.read(terminal, &bytes, bytes.count)
                if count <= 0 { return }
                written += String(decoding: bytes.prefix(count), as: UTF8.self)
            }
        }
        read(until: "q quit")
        #expect(written.contains("\u{1B}[?1049h") && written.contains("everything"))
        var during = termios()
        tcgetattr(line, &during)
        #expect(during.c_lflag & UInt32(ICANON) == 0)
        if let signal = end.signal { kill(process.processIdentifier, signal) }
        if !end.bytes.isEmpty { #expect(write(terminal, end.bytes, end.bytes.count) == end.bytes.count) }
        read(until: "\u{1B}[?1049l")
        if ended.wait(timeout: .now() + 60) == .timedOut {
            Issue.record("it did not end")
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
        }
        #expect(written.contains("\u{1B}[?25h\u{1B}[?1049l"))
        var after = termios()
        tcgetattr(line, &after)
        #expect(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag && after.c_oflag == before.c_oflag)
        #expect((process.terminationReason == .uncaughtSignal) == (end.signal != nil))
    }
}
