import Artifacts
import Instruments
import Learning
import Tensors

/// The panels of an image divided along h and k: boxes of (Ei, energy, h, k) that tile it.
struct RegionGrid: Sendable {
    let geometry: ImageGeometry
    /// Panel by panel, from the top left; in each by falling h, then by rising k.
    let boxes: [PixelBox]

    /// - Parameter divisions: regions along h and along k of each panel; no more than there are pixels.
    init(_ geometry: ImageGeometry, divisions: Int) {
        self.geometry = geometry
        func parts(_ pixels: Int) -> [Range<Int>] {
            let count = min(divisions, pixels)
            // The first pixel p of part i has p · count / pixels = i.
            let edges = (0...count).map { ($0 * pixels + count - 1) / count }
            return (0..<count).map { edges[$0]..<edges[$0 + 1] }
        }
        let (rows, columns) = (parts(geometry.h.count), parts(geometry.k.count))
        var boxes: [PixelBox] = []
        for setting in geometry.settings.indices {
            for bin in 0..<geometry.energyBins.count {
                let (top, left) = (setting * geometry.h.count, bin * geometry.k.count)
                for r in rows {
                    for c in columns {
                        boxes.append(
                            PixelBox(
                                rows: top + r.lowerBound..<top + r.upperBound,
                                columns: left + c.lowerBound..<left + c.upperBound))
                    }
                }
            }
        }
        self.boxes = boxes
    }

    /// Sum over each box.
    func sums(_ map: [Double]) -> [Double] {
        boxes.map { box in
            var sum = 0.0
            for row in box.rows {
                for column in box.columns { sum += map[row * geometry.columns + column] }
            }
            return sum
        }
    }
}

/// The regions of (Ei, energy, h, k) that weigh most in an attribution.
struct RegionTable: Sendable {
    var value: Value

    /// - Parameter divisions: regions along h and along k of each panel.
    /// - Parameter difference: an image whose mean over each region is told: by how much two models differ there.
    init(
        _ attribution: [Float], geometry: ImageGeometry, divisions: Int, count: Int, difference: [Double]? = nil
    ) throws {
        let grid = RegionGrid(geometry, divisions: divisions)
        let signed = grid.sums(attribution.map { Double($0) })
        let absolute = grid.sums(attribution.map { abs(Double($0)) })
        let total = absolute.reduce(0, +)
        let differences = difference.map { grid.sums($0) }
        let ranked = absolute.indices.filter { absolute[$0] > 0 }
            .sorted { absolute[$0] > absolute[$1] || (absolute[$0] == absolute[$1] && $0 < $1) }
        value = .list(
            ranked.prefix(count).map { index in
                let box = grid.boxes[index]
                let (top, bottom) = (box.rows.lowerBound, box.rows.upperBound - 1)
                let (left, right) = (box.columns.lowerBound, box.columns.upperBound - 1)
                let first = geometry.pixel(row: bottom, column: left)
                let last = geometry.pixel(row: top, column: right)
                func range(_ a: Double, _ b: Double) -> Value { .list([.double(a), .double(b)]) }
                var fields: [String: Value] = [
                    "incident-energy": .double(first.incidentEnergy),
                    "energy": range(first.energies.lowerBound, first.energies.upperBound),
                    "h": range(first.x - geometry.h.step / 2, last.x + geometry.h.step / 2),
                    "k": range(first.y - geometry.k.step / 2, last.y + geometry.k.step / 2),
                    "share": .double(absolute[index] / total), "weight": .double(signed[index]),
                    "rows": .list([.int(top), .int(bottom)]), "columns": .list([.int(left), .int(right)]),
                ]
                if let differences { fields["difference"] = .double(differences[index] / Double(box.count)) }
                return .record(fields)
            })
    }
}
