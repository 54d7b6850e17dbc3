import Foundation
import Interchange
import Tensors
import Testing

/// What cannot be judged is refused with the place and a way out, and the exit status 1.
@Suite("Bad measurements")
struct BadMeasurementTests {
    /// Runs the study on a file; expects one failed step and gives its message.
    private func failure(_ workplace: Workplace, of file: String, _ options: String...) throws -> String {
        let outcome = try workplace.spinweave(
            ["run", Study.file, "--quiet", "--format", "json", "--set", "measurement.path=\(file)"] + options)
        #expect(outcome.status == 1)
        #expect(outcome.errors.isEmpty)
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        #expect(document.outcome == "failed")
        let node = try #require(document.node("measurement"))
        #expect((node.failed, node.computed, node.reused) == (1, 0, 0))
        return try #require(node.failures.first).message
    }

    private func write(_ elements: [Float], shape: [Int], to name: String, in workplace: Workplace) throws {
        try NPY.write(.float32(Tensor(shape: shape, elements: elements)), to: workplace.path(name).path)
    }

    @Test("an image of another shape")
    func shape() throws {
        let workplace = try Study.workplace()
        try write(Study.image.elements, shape: [10, 4], to: "turned.npy", in: workplace)
        #expect(
            try failure(workplace, of: "turned.npy") == """
                turned.npy: the image has shape [10, 4], the graph's geometry needs [4, 10]
                  hint: 1 incident energy × 4 rows by 2 energy bins × 5 columns; see the resolution node
                """)
    }

    @Test("NaN and infinity", arguments: [(Float.nan, "nan"), (Float.infinity, "inf"), (-Float.infinity, "-inf")])
    func notANumber(value: Float, name: String) throws {
        let workplace = try Study.workplace()
        var elements = Study.image.elements
        elements[23] = value
        try write(elements, shape: [4, 10], to: "bad.npy", in: workplace)
        #expect(
            try failure(workplace, of: "bad.npy") == """
                bad.npy: \(name) at row 2, column 3 (1 such pixel)
                  hint: give pixels without data the value 0 and mark them in mask-path
                """)
    }

    @Test("a truncated file, wherever it ends")
    func truncated() throws {
        let workplace = try Study.workplace()
        let bytes = NPY.encode(.float32(Study.image))
        func message(_ count: Int) throws -> String {
            try Data(bytes.prefix(count)).write(to: workplace.path("short.npy"))
            return try failure(workplace, of: "short.npy")
        }
        #expect(
            try message(bytes.count - 7) == """
                short.npy: the file is truncated: float32 (4, 10) needs 160 bytes of data but 153 are there
                  hint: copy or save the file again
                """)
        #expect(
            try message(40) == """
                short.npy: the file is truncated: the header needs 128 bytes but the file has 40
                  hint: copy or save the file again
                """)
        #expect(
            try message(0) == """
                short.npy: the file is truncated: 0 bytes are no .npy header
                  hint: copy or save the file again
                """)
    }

    @Test("a file of something else")
    func foreign() throws {
        let workplace = try Study.workplace()
        try workplace.write("1 2 3\n", to: "table.npy")
        #expect(
            try failure(workplace, of: "table.npy") == """
                table.npy: not a .npy file: it should begin with \\x93NUMPY but begins with '1 2 3\\x0a'
                  hint: write it with numpy.save
                """)
    }

    @Test("no intensity at all, and a mask of another shape")
    func empty() throws {
        let workplace = try Study.workplace()
        try write([Float](repeating: 0, count: 40), shape: [4, 10], to: "zero.npy", in: workplace)
        #expect(
            try failure(workplace, of: "zero.npy") == """
                the measurement has no intensity in any of its 40 unmasked pixels
                  hint: check that the file holds counts and that the mask marks missing pixels with 1, not 0
                """)
        try write([Float](repeating: 0, count: 20), shape: [4, 5], to: "mask.npy", in: workplace)
        #expect(
            try failure(workplace, of: "graphs/image.npy", "--set", "measurement.mask-path=mask.npy") == """
                mask.npy: the mask has shape [4, 5], the image needs [4, 10]
                  hint: save it with the image's rows and columns
                """)
    }

    @Test("text output names the step and the message, and counts the failure")
    func text() throws {
        let workplace = try Study.workplace()
        try write(Study.image.elements, shape: [10, 4], to: "turned.npy", in: workplace)
        let outcome = try workplace.spinweave("run", Study.file, "--quiet", "--set", "measurement.path=turned.npy")
        #expect(outcome.status == 1)
        #expect(
            outcome.output.hasPrefix(
                "measurement: failed: turned.npy: the image has shape [10, 4], the graph's geometry needs [4, 10]\n"))
        #expect(outcome.output.contains("study: failed. 6 computed, 0 reused, 1 failed in "))
    }

    @Test("a failure is remembered until something changes or --retry-failed asks again")
    func remembered() throws {
        let workplace = try Study.workplace()
        try write(Study.image.elements, shape: [10, 4], to: "turned.npy", in: workplace)
        let first = try failure(workplace, of: "turned.npy")
        let remembered = try failure(workplace, of: "turned.npy")
        #expect(remembered.hasPrefix(first) && remembered.contains("--retry-failed tries again"))
        #expect(try failure(workplace, of: "turned.npy", "--retry-failed") == first)
        // The file was mended: its content is in the key, so the step is another one.
        try write(Study.image.elements, shape: [4, 10], to: "turned.npy", in: workplace)
        let mended = try workplace.document(
            RunDocument.self, ["run", Study.file, "--set", "measurement.path=turned.npy"])
        #expect(mended.node("measurement")?.computed == 1)
    }
}
