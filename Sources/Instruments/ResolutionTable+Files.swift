import Foundation

extension ResolutionTable {
    /// Reads `*_ei<Ei>_resolution.txt` of a folder, one file for each incident energy (meV).
    ///
    /// A line holds twelve numbers: h k E, then the 3×3 covariance of (h, k, E) row by row, variances in r.l.u. of the
    /// image lattice and meV. The points must form a regular grid, in any order. Empty lines and lines that begin with
    /// `#` are skipped.
    public init(directory: String, incidentEnergies: [Double]) throws(InstrumentError) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .unreadable(path: directory, reason: "it is not a folder that can be listed")
        }
        var files: [(energy: Double, name: String)] = []
        for name in names where !name.hasPrefix(".") {
            guard name.hasSuffix("_resolution.txt"), let mark = name.range(of: "_ei", options: .backwards),
                let energy = Double(name[mark.upperBound...].dropLast("_resolution.txt".count))
            else { continue }
            files.append((energy, name))
        }
        var grids: [Grid] = []
        for energy in incidentEnergies {
            guard let file = files.first(where: { abs($0.energy - energy) <= 1e-6 * energy }) else {
                throw .missingResolution(
                    incidentEnergy: energy, directory: directory, found: files.map(\.energy).sorted())
            }
            let same = files.filter { abs($0.energy - energy) <= 1e-6 * energy }
            guard same.count == 1 else {
                throw .invalid(
                    "the folder '\(directory)'",
                    problem:
                        "has \(same.count) tables of one incident energy: \(same.map(\.name).joined(separator: ", "))")
            }
            grids.append(try Grid(file: directory + "/" + file.name, incidentEnergy: energy))
        }
        self.init(grids: grids)
    }
}

extension ResolutionTable.Grid {
    /// Reads one file; see `ResolutionTable.init(directory:incidentEnergies:)`.
    public init(file path: String, incidentEnergy: Double) throws(InstrumentError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "it is missing or not readable")
        }
        try self.init(text: [UInt8](data), file: path, incidentEnergy: incidentEnergy)
    }

    /// - Parameter file: name for messages.
    init(text: [UInt8], file: String, incidentEnergy: Double) throws(InstrumentError) {
        var rows: [Double] = []
        rows.reserveCapacity(text.count / 14)
        var scanner = NumberScanner(text)
        while !scanner.atEnd {
            let start = rows.count
            while let token = scanner.nextOnLine() {
                guard case .number(let value) = token else {
                    throw .badLine(file: file, line: scanner.line, problem: "'\(scanner.word)' is not a number")
                }
                guard value.isFinite else {
                    throw .badLine(file: file, line: scanner.line, problem: "'\(scanner.word)' is not finite")
                }
                rows.append(value)
            }
            let found = rows.count - start
            if found != 0 && found != 12 {
                throw .badLine(file: file, line: scanner.line, problem: "\(found) numbers where 12 are needed")
            }
            if found == 12, let problem = Self.problem(of: rows[start...]) {
                throw .badLine(file: file, line: scanner.line, problem: problem)
            }
            scanner.nextLine()
        }
        if rows.isEmpty { throw .irregularGrid(file: file, problem: "the file holds no points") }
        try self.init(rows: rows, file: file, incidentEnergy: incidentEnergy)
    }

    private static func problem(of row: ArraySlice<Double>) -> String? {
        let c = Array(row.dropFirst(3))
        // Files carry eight digits, of numbers that may be differences of much larger ones.
        let pairs = [(1, 3, 0, 4), (2, 6, 0, 8), (5, 7, 4, 8)]
        for (upper, lower, i, j) in pairs where abs(c[upper] - c[lower]) > 1e-6 * abs(c[i] * c[j]).squareRoot() {
            return "the covariance is not symmetric"
        }
        let covariance = ResolutionCovariance(hh: c[0], hk: c[1], kk: c[4], hE: c[2], kE: c[5], EE: c[8])
        return covariance.isPositiveDefinite ? nil : "the covariance is not positive definite"
    }

    private init(rows: [Double], file: String, incidentEnergy: Double) throws(InstrumentError) {
        let points = rows.count / 12
        var axes: [ResolutionTable.Axis] = []
        for (column, name) in ["h", "k", "E"].enumerated() {
            let values = Set((0..<points).map { rows[$0 * 12 + column] }).sorted()
            guard values.count >= 2, let first = values.first, let last = values.last else {
                throw .irregularGrid(file: file, problem: "\(name) takes fewer than two values")
            }
            let step = (last - first) / Double(values.count - 1)
            for (index, value) in values.enumerated()
            where abs(value - first - Double(index) * step) > 1e-5 * step * Double(values.count) {
                throw .irregularGrid(file: file, problem: "the values of \(name) are not evenly spaced at \(value)")
            }
            axes.append(.init(origin: first, step: step, count: values.count))
        }
        let count = axes[0].count * axes[1].count * axes[2].count
        guard count == points else {
            throw .irregularGrid(file: file, problem: "\(points) points do not fill a grid of \(count)")
        }
        var covariances = [Double](repeating: .nan, count: count * 6)
        for point in 0..<points {
            let row = point * 12
            let index = (0..<3).map { Int(((rows[row + $0] - axes[$0].origin) / axes[$0].step).rounded()) }
            let place = ((index[2] * axes[1].count + index[1]) * axes[0].count + index[0]) * 6
            if !covariances[place].isNaN {
                throw .irregularGrid(
                    file: file, problem: "(h, k, E) = (\(rows[row]), \(rows[row + 1]), \(rows[row + 2])) appears twice")
            }
            for (n, column) in [3, 4, 7, 5, 8, 11].enumerated() { covariances[place + n] = rows[row + column] }
        }
        try self.init(
            incidentEnergy: incidentEnergy, h: axes[0], k: axes[1], energy: axes[2], covariances: covariances)
    }
}

/// Numbers of a text, line by line, without a `String` for each.
private struct NumberScanner {
    enum Token { case number(Double), word }

    private let text: [UInt8]
    private var position = 0
    private var wordStart = 0
    /// Counted from 1.
    private(set) var line = 1

    init(_ text: [UInt8]) { self.text = text }

    var atEnd: Bool { position >= text.count }
    /// The last token as it stands in the text.
    var word: String { String(decoding: text[wordStart..<position], as: UTF8.self) }

    /// The next token before the end of the line, or nil.
    mutating func nextOnLine() -> Token? {
        while position < text.count, text[position] == 0x20 || text[position] == 0x09 || text[position] == 0x0D {
            position += 1
        }
        guard position < text.count, text[position] != 0x0A, text[position] != 0x23 else { return nil }
        wordStart = position
        while position < text.count, text[position] > 0x20 { position += 1 }
        return parse().map(Token.number) ?? .word
    }

    mutating func nextLine() {
        while position < text.count, text[position] != 0x0A { position += 1 }
        position += 1
        line += 1
    }

    /// The word as a decimal number: at most 19 digits are exact in 64 bits, and one multiplication or division by a
    /// power of ten up to 10²² then rounds once (Clinger's fast path); anything else goes through `Double(String)`.
    private func parse() -> Double? {
        var i = wordStart
        var negative = false
        if text[i] == 0x2D || text[i] == 0x2B {
            negative = text[i] == 0x2D
            i += 1
        }
        var digits: UInt64 = 0
        var count = 0
        var scale = 0
        var fraction = false
        while i < position {
            let c = text[i]
            if c >= 0x30 && c <= 0x39 {
                digits = digits &* 10 &+ UInt64(c - 0x30)
                count += 1
                if fraction { scale -= 1 }
            } else if c == 0x2E && !fraction {
                fraction = true
            } else {
                break
            }
            i += 1
        }
        if count == 0 { return Double(word) }
        if i < position {
            guard text[i] == 0x65 || text[i] == 0x45, i + 1 < position else { return Double(word) }
            i += 1
            var sign = 1
            if text[i] == 0x2D || text[i] == 0x2B {
                sign = text[i] == 0x2D ? -1 : 1
                i += 1
            }
            guard i < position, position - i <= 3 else { return Double(word) }
            var exponent = 0
            while i < position {
                guard text[i] >= 0x30 && text[i] <= 0x39 else { return nil }
                exponent = exponent * 10 + Int(text[i] - 0x30)
                i += 1
            }
            scale += sign * exponent
        }
        guard count <= 15, abs(scale) <= 22 else { return Double(word) }
        let magnitude = scale < 0 ? Double(digits) / Self.powers[-scale] : Double(digits) * Self.powers[scale]
        return negative ? -magnitude : magnitude
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
