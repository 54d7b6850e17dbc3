import Foundation
import Interchange
import Tensors
import Testing

/// The same pixels, however NumPy may have written them, are the same artifact.
@Suite("A measurement's element type and order do not matter")
struct MeasurementEncodingTests {
    /// An array file of whole numbers, byte by byte from the format's description.
    private static func file(_ descr: String, size: Int, fortran: Bool = false, bits: (Float) -> UInt64) -> Data {
        let header = "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': (4, 10), }"
        let padded = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8)
        for index in 0..<40 {
            let pixel = fortran ? index % 4 * 10 + index / 4 : index
            let word = bits(Study.image.elements[pixel])
            let little = (0..<size).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
            bytes += descr.hasPrefix(">") ? little.reversed() : little
        }
        return Data(bytes)
    }

    private static let encodings: [(name: String, data: Data)] = [
        ("little-endian float32", file("<f4", size: 4) { UInt64($0.bitPattern) }),
        ("big-endian float32", file(">f4", size: 4) { UInt64($0.bitPattern) }),
        ("float64", file("<f8", size: 8) { Double($0).bitPattern }),
        ("big-endian float64", file(">f8", size: 8) { Double($0).bitPattern }),
        ("float16", file("<f2", size: 2) { UInt64(Float16($0).bitPattern) }),
        ("float64 in Fortran order", file("<f8", size: 8, fortran: true) { Double($0).bitPattern }),
        ("big-endian int16 in Fortran order", file(">i2", size: 2, fortran: true) { UInt64($0) }),
        ("uint8", file("|u1", size: 1) { UInt64($0) }), ("int64", file("<i8", size: 8) { UInt64($0) }),
    ]

    @Test("nine ways to write one image")
    func sameArtifact() throws {
        let workplace = try Study.workplace()
        var artifacts: [String: String] = [:]
        for (name, data) in Self.encodings {
            try data.write(to: workplace.path("image.npy"))
            let run = try workplace.document(
                RunDocument.self, ["run", Study.file, "--quiet", "--set", "measurement.path=image.npy"])
            artifacts[name] = try #require(run.node("measurement")?.artifact, "\(name)")
            // Another content is another step; only its answer is the same.
            #expect(run.node("measurement")?.computed == 1, "\(name)")
        }
        #expect(Set(artifacts.values).count == 1, "\(artifacts)")
    }

    @Test("where a file lies and what it is called does not matter")
    func path() throws {
        let workplace = try Study.workplace()
        let first = try workplace.document(RunDocument.self, ["run", Study.file, "--quiet"])
        try FileManager.default.copyItem(
            at: workplace.path("graphs/image.npy"), to: workplace.path("elsewhere.npy"))
        let second = try workplace.document(
            RunDocument.self, ["run", Study.file, "--quiet", "--set", "measurement.path=elsewhere.npy"])
        #expect(first.computed == 7)
        #expect(second.computed == 0)
    }

    @Test(
        "the published measurement is loaded as it is",
        .enabled(if: Package.pcsmo != nil, "the published measurement is not beside the package"))
    func published() throws {
        let data = try #require(Package.pcsmo)
        let workplace = try Workplace()
        try workplace.write(
            """
            graph: load
            nodes:
              resolution: {stage: resolution}
              mask: {stage: detector-mask, resolution: resolution, path: \(data.path)/detector_mask.npy}
              measurement: {stage: load-measurement, resolution: resolution, mask: mask, path: \(data.path)/experiment.npy}

            """, to: "graphs/load.yaml")
        let run = try workplace.spinweave("run", "graphs/load.yaml", "--quiet")
        #expect(run.status == 0, "\(run.output)")
        try workplace.spinweave("export", "graphs/load.yaml", "measurement", "-o", "loaded.npy")
        let loaded = try NPY.read(path: workplace.path("loaded.npy").path).asFloat64
        let file = try NPY.read(path: "\(data.path)/experiment.npy").asFloat64
        let mask = try NPY.read(path: "\(data.path)/detector_mask.npy").asFloat64
        #expect(loaded.shape == [240, 400])
        #expect(
            loaded.elements.indices.allSatisfy {
                loaded.elements[$0] == (mask.elements[$0] == 0 ? Double(Float(max(0, file.elements[$0]))) : 0)
            })
    }
}
