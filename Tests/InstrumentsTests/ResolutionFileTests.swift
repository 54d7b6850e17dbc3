import Foundation
import Testing

@testable import Instruments

@Suite("Resolution files")
struct ResolutionFileTests {
    static func text(_ change: (inout [String]) -> Void = { _ in }) -> [UInt8] {
        var lines: [String] = []
        for e in [0.0, 5, 10] {
            for k in [-1.0, 1] {
                for h in [-1.0, 0, 1] {
                    lines.append("\(h) \(k) \(e)  1.0e-4 1e-5 \(-0.001 * h)  1e-5 2E-4 0  \(-0.001 * h) 0 \(0.25 + e)")
                }
            }
        }
        change(&lines)
        return Array(lines.joined(separator: "\n").utf8)
    }

    static func problem(_ change: (inout [String]) -> Void) -> String {
        do {
            _ = try ResolutionTable.Grid(text: text(change), file: "t.txt", incidentEnergy: 25)
            return ""
        } catch { return error.description }
    }

    @Test("are read in any order, and interpolate linearly")
    func reads() throws {
        let grid = try ResolutionTable.Grid(text: Self.text { $0.reverse() }, file: "t.txt", incidentEnergy: 25)
        #expect(grid.h == .init(origin: -1, step: 1, count: 3))
        #expect(grid.k.count == 2 && grid.energy.step == 5)
        let c = grid.covariance(h: 0.25, k: 0.1, energy: 6)
        #expect(abs(c.EE - 6.25) < 1e-12 && abs(c.hE + 0.00025) < 1e-15)
        #expect(abs(c.hh - 1e-4) < 1e-18 && abs(c.hk - 1e-5) < 1e-18)
        // Beyond the grid, its edge.
        #expect(grid.covariance(h: 9.0, k: 9.0, energy: 99.0) == grid.node(h: 2, k: 1, energy: 2))
    }

    @Test("say what is wrong, and in which line")
    func messages() {
        #expect(Self.problem { $0[3] = "1 2 3 4" } == "t.txt:4: 4 numbers where 12 are needed")
        #expect(Self.problem { $0[4].removeLast(4) } == "t.txt:5: 11 numbers where 12 are needed")
        #expect(
            Self.problem { $0[1] = $0[1].replacingOccurrences(of: "2E-4", with: "nan") }
                == "t.txt:2: 'nan' is not finite")
        #expect(
            Self.problem { $0[1] = $0[1].replacingOccurrences(of: "2E-4", with: "2x-4") }
                == "t.txt:2: '2x-4' is not a number")
        #expect(
            Self.problem { $0[2] = $0[2].replacingOccurrences(of: "2E-4", with: "-2E-4") }
                == "t.txt:3: the covariance is not positive definite")
        #expect(
            Self.problem { $0[0] = "0 0 0 1 0.1 0 0.2 1 0 0 0 1" } == "t.txt:1: the covariance is not symmetric")
        #expect(Self.problem { $0.removeLast() } == "t.txt: 17 points do not fill a grid of 18")
        #expect(Self.problem { $0[0] = $0[1] }.contains("appears twice"))
        #expect(Self.problem { $0 = ["# nothing"] } == "t.txt: the file holds no points")
        #expect(
            Self.problem { $0 = $0.map { $0.replacingOccurrences(of: "1.0 10.0", with: "1.0 11.0") } }
                .contains("not evenly spaced"))
    }

    @Test("a missing incident energy names those that are there")
    func missing() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "resolution-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(Self.text()).write(to: folder.appending(path: "X_ei25_resolution.txt"))
        #expect(try ResolutionTable(directory: folder.path, incidentEnergies: [25]).grids.count == 1)
        #expect(throws: InstrumentError.missingResolution(incidentEnergy: 35, directory: folder.path, found: [25])) {
            try ResolutionTable(directory: folder.path, incidentEnergies: [25, 35])
        }
        #expect(throws: InstrumentError.self) {
            try ResolutionTable(directory: folder.path + "/absent", incidentEnergies: [25])
        }
    }

    @Test("numbers are read as Double reads them")
    func numbers() throws {
        let numbers = [
            "1.1616738e-01", "+1.1616738E+02", "0.1", "12345678901234567890", ".5", "5.", "1e30",
            "0.30000000000000004441",
            "123456789012345e-22", "1.7976931348623157e200",
        ]
        for number in numbers {
            let grid = try ResolutionTable.Grid(
                text: Self.text { $0[1] = "0 -1 0  1 0 0  0 1 0  0 0 " + number }, file: "t.txt", incidentEnergy: 25)
            #expect(grid.node(h: 1, k: 0, energy: 0).EE == Double(number))
        }
    }
}
