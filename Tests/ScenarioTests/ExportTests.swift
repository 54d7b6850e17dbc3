import Foundation
import Interchange
import Tensors
import Testing

@Suite("export")
struct ExportTests {
    @Test("the fitted image is [240, 400] in every format")
    func fittedImage() throws {
        let workplace = try Workplace()
        let graph = "graphs/pcsmo-fitted.yaml"
        let run = try workplace.spinweave("run", graph, "--quiet", "--store", "store")
        #expect(run.status == 0, "\(run.errors)")
        func export(_ name: String) throws {
            let outcome = try workplace.spinweave("export", graph, "goodenough-image", "-o", name, "--store", "store")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == "\(name)\n")
        }
        for suffix in ["npy", "npz", "csv", "json", "png"] { try export("image.\(suffix)") }
        let image = try NPY.read(path: workplace.path("image.npy").path)
        #expect(image.shape == [240, 400] && image.elementType == .float32)
        let arrays = try NPZ.read(path: workplace.path("image.npz").path)
        let domains = try #require(arrays["domains"])
        #expect(domains.shape == [2, 240, 400])
        // Both domains at one half each are the image.
        let pixels = image.asFloat64.elements
        let layers = domains.asFloat64.elements
        #expect(
            pixels.indices.allSatisfy {
                abs(pixels[$0] - (layers[$0] + layers[$0 + pixels.count]) / 2) <= 1e-6 * pixels[$0]
            })
        let lines = try workplace.text(of: "image.csv").split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count >= 240)
        #expect(lines.last?.split(separator: ",").count == 400)
        #expect(lines.last?.split(separator: ",").last.flatMap { Float($0) } == image.asFloat32.elements.last)
        let json = try JSONSerialization.jsonObject(with: try Data(contentsOf: workplace.path("image.json")))
        #expect((json as? [String: Any])?["domains"] != nil)
        let png = try Data(contentsOf: workplace.path("image.png"))
        #expect(Array(png.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        // The width and height in a PNG's first chunk; a whole number of screen pixels for each of the image's.
        func size(_ at: Int) -> Int { png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        #expect(size(16) % 400 == 0 && size(16) / 400 == size(20) / 240)
    }

    @Test("every node of the quick graph is exported to .json and .npz")
    func everything() throws {
        let workplace = try QuickGraph.workplace()
        let run = try workplace.planAndRun().run
        for node in run.nodes {
            let address = node.samples > 1 ? "\(node.name)#1" : node.name
            for suffix in ["json", "npz"] {
                let outcome = try workplace.spinweave(
                    ["export", QuickGraph.file, address, "-o", "out.\(suffix)"] + QuickGraph.options())
                #expect(outcome.status == 0, "\(address): \(outcome.errors)")
            }
            _ = try JSONSerialization.jsonObject(with: try Data(contentsOf: workplace.path("out.json")))
            #expect(try !NPZ.read(path: workplace.path("out.npz").path).isEmpty, "\(address)")
        }
    }

    @Test("a network goes out as .safetensors, from which another training begins, and as .onnx")
    func network() throws {
        let workplace = try QuickGraph.workplace()
        for suffix in ["safetensors", "onnx"] {
            let outcome = try workplace.spinweave(
                ["export", QuickGraph.file, "network#1", "-o", "network.\(suffix)"] + QuickGraph.options())
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let weights = try Safetensors.read(path: workplace.path("network.safetensors").path)
        #expect(weights.tensors["3.kernel"]?.shape == [4, 6, 3, 3])
        #expect(weights.metadata["classes"] == "goodenough, dimer")
        let model = try Data(contentsOf: workplace.path("network.onnx"))
        #expect(String(decoding: model, as: UTF8.self).contains("goodenough, dimer"))
        let file = workplace.path("network.safetensors").path
        let run = try workplace.document(
            RunDocument.self,
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["network.initial-weights=\(file)"]))
        #expect(run.node("network")?.computed == 2)
    }

    @Test("what cannot be exported is said with what can")
    func refusals() throws {
        let workplace = try QuickGraph.workplace()
        func refusal(_ node: String, _ file: String, store: String = "store") throws -> (Int32, String) {
            let outcome = try workplace.spinweave(
                ["export", QuickGraph.file, node, "-o", file] + QuickGraph.options(store: store))
            #expect(outcome.output.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: workplace.path(file).path))
            return (outcome.status, outcome.errors)
        }
        #expect(
            try refusal("verdict", "verdict.txt") == (
                64,
                "error: cannot tell the format of 'verdict.txt'\n  hint: end it in .npy, .npz, .csv, .json, .png, "
                    + ".safetensors, .onnx, .nxs, .nxspe or .dat\n"
            ))
        #expect(
            try refusal("verdict", "verdict.onnx") == (
                2,
                "error: only a network is an ONNX model; this artifact is verdict\n  hint: export .npz instead\n"
            ))
        #expect(
            try refusal("verdict", "verdict.npy") == (
                2, "error: this artifact (verdict) has no main array\n  hint: export .npz or .json instead\n"
            ))
        #expect(
            try refusal("noise", "noise.npy") == (
                2,
                """
                error: graph 'pcsmo-quick' has no node 'noise'
                  hint: 'noise' exists once for each class: noise@goodenough, noise@dimer

                """
            ))
        #expect(
            try refusal("noise@dimer", "noise.png") == (
                2,
                "error: node 'noise@dimer' has 8 samples, and .png holds one\n  hint: name one: noise@dimer#0; "
                    + "or write all of them as .npy, .npz, .csv or .safetensors\n"
            ))
        #expect(
            try refusal("noise@dimer#8", "noise.npy") == (
                2, "error: node 'noise@dimer' has no sample '8'\n  hint: samples count from 0 to 7\n"
            ))
        // Planning makes the store.
        try workplace.spinweave(["plan", QuickGraph.file] + QuickGraph.options(store: "empty"))
        #expect(
            try refusal("verdict", "verdict.json", store: "empty") == (
                1,
                """
                error: verdict is not in the store empty
                  hint: run the graph first: spinweave run graphs/pcsmo-quick.yaml

                """
            ))
        let nowhere = try workplace.spinweave(
            ["export", QuickGraph.file, "verdict", "-o", "no/verdict.json"] + QuickGraph.options())
        #expect(nowhere.status == 1)
        #expect(
            nowhere.errors == """
                error: no/verdict.json: cannot create: No such file or directory
                  hint: check the path; the folder 'no' must exist

                """)
    }

    @Test("all samples of a node in one file are its samples one by one")
    func allSamples() throws {
        let workplace = try QuickGraph.workplace()
        _ = try workplace.planAndRun()
        func export(_ node: String, _ file: String) throws {
            let outcome = try workplace.spinweave(
                ["export", QuickGraph.file, node, "-o", file] + QuickGraph.options())
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        try export("noise@dimer", "all.npy")
        let all = try NPY.read(path: workplace.path("all.npy").path)
        try export("noise@dimer#5", "fifth.npy")
        let fifth = try NPY.read(path: workplace.path("fifth.npy").path)
        #expect(all.shape == [8] + fifth.shape && all.elementType == fifth.elementType)
        let size = fifth.bytes.count
        #expect(Array(all.bytes[5 * size..<6 * size]) == fifth.bytes)
        try export("images@dimer", "all.npz")
        try export("images@dimer#7", "seventh.npz")
        let (many, one) = (
            try NPZ.read(path: workplace.path("all.npz").path), try NPZ.read(path: workplace.path("seventh.npz").path)
        )
        #expect(many.keys.sorted() == one.keys.sorted())
        for (name, array) in one { #expect(Array((many[name]?.bytes ?? []).suffix(array.bytes.count)) == array.bytes) }
        try export("parameters@dimer", "all.csv")
        let lines = try workplace.text(of: "all.csv").split(separator: "\n").map(String.init)
        #expect(lines.count == 9)
        #expect(lines[0].hasPrefix("sample,D (meV),JA1 (meV),"))
        try export("parameters@dimer#3", "third.npy")
        let third = try NPY.read(path: workplace.path("third.npy").path).asFloat64.elements
        #expect(lines[4].split(separator: ",").dropFirst().map { Double($0) } == third.map { $0 })
    }
}
