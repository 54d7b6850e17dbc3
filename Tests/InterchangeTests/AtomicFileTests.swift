import Foundation
import Testing

@testable import Interchange

@Suite("Whole files")
struct AtomicFileTests {
    @Test("a file is replaced whole, nothing is left beside it, links are followed")
    func replaces() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.bin")
        try AtomicFile.write([1, 2, 3], to: path)
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: path)
        try AtomicFile.write([4], to: folder.file("link"))
        #expect(try AtomicFile.read(path) == [4])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a.bin", "link"])
        let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        try AtomicFile.write(large, to: path)
        #expect(try AtomicFile.read(path) == large)
    }

    @Test("a file made in pieces is there when all of them are; one that is given up leaves the old one")
    func pieces() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.bin")
        try AtomicFile.write(to: path) { append in
            for piece in 0..<5 { try append([UInt8](repeating: UInt8(piece), count: piece)) }
        }
        let whole: [UInt8] = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]
        #expect(try AtomicFile.read(path) == whole)
        struct GivenUp: Error {}
        #expect(throws: GivenUp.self) {
            try AtomicFile.write(to: path) { append in
                try append([9])
                throw GivenUp()
            }
        }
        #expect(try AtomicFile.read(path) == whole)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.bin"])
        if FileManager.default.fileExists(atPath: "/dev/full") {
            #expect(throws: InterchangeError.self) { try AtomicFile.write(to: "/dev/full") { try $0([1, 2]) } }
        }
    }

    @Test("errors name the path, the system's reason and a way out")
    func errors() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("none/a.npy")
        #expect(
            message { () throws(InterchangeError) in try AtomicFile.write([1], to: missing) }
                == "\(missing): cannot create: No such file or directory\n"
                + "  hint: check the path; the folder '\(folder.path)/none' must exist")
        #expect(
            message { () throws(InterchangeError) in _ = try NPY.read(path: missing) }
                .hasPrefix("\(missing): cannot open: No such file or directory"))
        #expect(
            message { () throws(InterchangeError) in _ = try AtomicFile.read(folder.path) }
                .contains("this is a folder"))
        #expect(
            message { () throws(InterchangeError) in try AtomicFile.write([1], to: folder.path) }
                .contains("Is a directory"))
    }

    @Test("a full disk is named", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func fullDisk() {
        #expect(
            message { () throws(InterchangeError) in try AtomicFile.write([1, 2], to: "/dev/full") } == """
                /dev/full: cannot write 2 bytes: No space left on device
                  hint: the disk that holds '/dev' is full: free some space or write elsewhere
                """)
    }
}
