import Foundation
import HostDevice
import Testing

/// The graphs by which tools/test-gpu tries a device.
@Suite("Graphs for trying a device")
struct DeviceGraphTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "tools/gpu")

    /// Beside the models, as in a packed folder.
    private static func workplace() throws -> Workplace {
        let workplace = try Workplace()
        for name in ["small.yaml", "images.yaml"] {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            try workplace.write(text, to: "graphs/\(name)")
        }
        return workplace
    }

    @Test("are right", arguments: ["small", "images", "pcsmo-published"])
    func check(name: String) throws {
        let outcome = try Self.workplace().spinweave("check", "graphs/\(name).yaml")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// As tools/test-gpu makes it: by leaving out the line of a node.
    @Test("images are left out of their graph by their line")
    func withoutImages() throws {
        let workplace = try Self.workplace()
        let lines = try workplace.text(of: "graphs/images.yaml").split(
            separator: "\n", omittingEmptySubsequences: false)
        let rest = lines.filter { !$0.hasPrefix("  images:") }
        #expect(rest.count == lines.count - 1)
        try workplace.write(rest.joined(separator: "\n"), to: "graphs/images-spectra.yaml")
        let outcome = try workplace.spinweave("check", "graphs/images-spectra.yaml")
        #expect(outcome.status == 0 && outcome.output.contains("ok, 3 nodes"), "\(outcome.errors)")
    }

    @Test("the small one has the device compute every node whose stage has a kernel")
    func small() throws {
        let workplace = try Self.workplace()
        let software = try SoftwareCUDA()
        let outcome = try workplace.spinweave(
            ["run", "graphs/small.yaml", "--executor", "cuda", "--store", "store", "--format", "json"],
            environment: ["SPINWEAVE_CUDA_LIBRARIES": software.directory])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        let kernels: Set = ["spin-waves", "convolve-resolution", "add-noise", "train-network", "attribute"]
        // What came to nothing new has no executor of its own.
        for node in document.nodes where kernels.contains(node.stage) && node.computed > 0 {
            #expect(node.executor == "cuda", "\(node.name)")
        }
        #expect(kernels.isSubset(of: document.nodes.filter { $0.computed > 0 }.map(\.stage)))
    }
}
