import Compute
import Foundation
import Learning

/// What can be wrong with a measurement, put into an image that nothing is wrong with: what a verdict is tried on.
///
/// Pixels are moved or emptied as they are, without interpolation, so that their noise stays what it was. Masked pixels
/// stay masked.
enum MeasurementFault: String, CaseIterable, Hashable, Sendable {
    /// The intensities of each incident energy in any order: noise of the same mean and the same distribution.
    case noise
    /// The energy bins of each incident energy in another order, the same for all.
    case shuffledEnergies = "shuffled-energies"
    /// The incident energies in another order.
    case shuffledSettings = "shuffled-settings"
    case reversedEnergies = "reversed-energies"
    /// The crystal turned about the axis across each panel.
    case turned10 = "turned-10"
    case turned20 = "turned-20"
    case turned45 = "turned-45"
    /// h for k.
    case exchangedAxes = "exchanged-axes"
    /// Each panel moved along h by a twentieth of its width.
    case shifted
    /// Half of each panel is empty: 0.
    case deadHalf = "dead-half"
    /// A stripe along h, an eighth of each panel wide, is empty at a place drawn by lot.
    case deadBank = "dead-bank"
    /// A tenth of all pixels of a panel's plane, drawn by lot, is empty in every panel.
    case deadPixels = "dead-pixels"
    /// A stripe along k, a tenth of each panel high, is masked that training images have.
    case maskedRows = "masked-rows"
    /// Each panel is masked as if the detectors were a tenth of its width further along k.
    case movedMask = "moved-mask"

    /// What is done, in words.
    var wording: String {
        switch self {
        case .noise: "the intensities of each incident energy in any order"
        case .shuffledEnergies: "energies in another order"
        case .shuffledSettings: "incident energies in another order"
        case .reversedEnergies: "energies in reverse"
        case .turned10: "turned by 10 degrees"
        case .turned20: "turned by 20 degrees"
        case .turned45: "turned by 45 degrees"
        case .exchangedAxes: "h and k exchanged"
        case .shifted: "origin off by a twentieth of the panel"
        case .deadHalf: "half of the detectors dead"
        case .deadBank: "an eighth of the detectors dead"
        case .deadPixels: "a tenth of the detectors dead, here and there"
        case .maskedRows: "a tenth of the pixels wrongly masked"
        case .movedMask: "the mask in the wrong place"
        }
    }

    /// An image with the fault; nil where the fault would change nothing, such as an order of one.
    ///
    /// - Parameters:
    ///   - image: `layout.pixels` intensities, row-major.
    ///   - mask: 1 where nothing is seen, of the same pixels.
    func image(_ image: [Float], mask: [UInt8], layout: PixelBlocks.Layout, random: RandomStream) -> [Float]? {
        let panels = FaultyPanels(image: image, mask: mask, layout: layout)
        let random = random.substream(rawValue)
        let result: [Float]
        switch self {
        case .noise: result = panels.mixed(random)
        case .shuffledEnergies: result = panels.reordered(columns: Self.order(layout.columns, random))
        case .shuffledSettings: result = panels.reordered(rows: Self.order(layout.rows, random))
        case .reversedEnergies: result = panels.reordered(columns: (0..<layout.columns).reversed())
        case .turned10: result = panels.turned(by: 10)
        case .turned20: result = panels.turned(by: 20)
        case .turned45: result = panels.turned(by: 45)
        case .exchangedAxes:
            result = panels.moved { y, x in (x * layout.height / layout.width, y * layout.width / layout.height) }
        case .shifted:
            let shift = max(1, (layout.height + 10) / 20)
            result = panels.moved { y, x in (min(layout.height - 1, y + shift), x) }
        case .deadHalf: result = panels.emptied { _, x in 2 * x < layout.width }
        case .deadBank:
            let size = max(1, layout.width / 8)
            let first = Int(random.uniform(at: 0) * Double(layout.width - size + 1))
            result = panels.emptied { _, x in x >= first && x < first + size }
        case .deadPixels:
            result = panels.emptied { y, x in random.uniform(at: y * layout.width + x) < 0.1 }
        case .maskedRows:
            let size = max(1, layout.height / 10)
            let first = Int(random.uniform(at: 0) * Double(layout.height - size + 1))
            result = panels.emptied { y, _ in y >= first && y < first + size }
        case .movedMask: result = panels.masked(movedBy: max(1, layout.width / 10))
        }
        return result == image ? nil : result
    }

    /// A permutation that leaves no number where it was, where there are two or more.
    private static func order(_ count: Int, _ random: RandomStream) -> [Int] {
        // Around a circle in an order drawn by lot: each takes the place of the next.
        let circle = (0..<count).sorted { random.uniform(at: $0) < random.uniform(at: $1) }
        var order = Array(0..<count)
        for place in circle.indices { order[circle[place]] = circle[(place + 1) % count] }
        return order
    }
}

/// Pixels of an image by panel.
private struct FaultyPanels {
    var image: [Float]
    var mask: [UInt8]
    var layout: PixelBlocks.Layout

    private func pixel(_ row: Int, _ column: Int, _ y: Int, _ x: Int) -> Int {
        ((row * layout.height + y) * layout.columns + column) * layout.width + x
    }

    /// Each pixel that is not masked as `value` says.
    private func changed(_ value: (_ row: Int, _ column: Int, _ y: Int, _ x: Int) -> Float) -> [Float] {
        var result = image
        for row in 0..<layout.rows {
            for y in 0..<layout.height {
                for column in 0..<layout.columns {
                    for x in 0..<layout.width {
                        let at = pixel(row, column, y, x)
                        result[at] = mask[at] == 0 ? value(row, column, y, x) : 0
                    }
                }
            }
        }
        return result
    }

    func emptied(_ isEmpty: (_ y: Int, _ x: Int) -> Bool) -> [Float] {
        changed { row, column, y, x in isEmpty(y, x) ? 0 : image[pixel(row, column, y, x)] }
    }

    /// Each pixel from another place of its panel; from its own where that is masked.
    func moved(_ source: (_ y: Int, _ x: Int) -> (y: Int, x: Int)) -> [Float] {
        changed { row, column, y, x in
            let from = source(y, x)
            let other = pixel(row, column, from.y, from.x)
            return image[mask[other] == 0 ? other : pixel(row, column, y, x)]
        }
    }

    func reordered(rows: [Int]? = nil, columns: [Int]? = nil) -> [Float] {
        changed { row, column, y, x in
            let other = pixel(rows?[row] ?? row, columns?[column] ?? column, y, x)
            return image[mask[other] == 0 ? other : pixel(row, column, y, x)]
        }
    }

    /// About the middle of each panel. Where nothing is seen at the angle, by the next angle at which something is.
    func turned(by degrees: Double) -> [Float] {
        let centre = (y: Double(layout.height - 1) / 2, x: Double(layout.width - 1) / 2)
        // 0, 1, −1, 2, −2 … 45, −45 degrees further.
        let turns = (0...90).map { index in
            let step = Double(index % 2 == 0 ? -index / 2 : (index + 1) / 2)
            let angle = (degrees + step) * Double.pi / 180
            return (cosine: cos(angle), sine: sin(angle))
        }
        return changed { row, column, y, x in
            let (v, u) = ((Double(y) - centre.y) / centre.y, (Double(x) - centre.x) / centre.x)
            for turn in turns {
                let fromY = ((turn.cosine * v - turn.sine * u + 1) * centre.y).rounded()
                let fromX = ((turn.sine * v + turn.cosine * u + 1) * centre.x).rounded()
                guard fromY >= 0, fromX >= 0, Int(fromY) < layout.height, Int(fromX) < layout.width else { continue }
                let other = pixel(row, column, Int(fromY), Int(fromX))
                if mask[other] == 0 { return image[other] }
            }
            return image[pixel(row, column, y, x)]
        }
    }

    func masked(movedBy shift: Int) -> [Float] {
        changed { row, column, y, x in
            let from = x - shift
            let isHidden = from >= 0 && mask[pixel(row, column, y, from)] != 0
            return isHidden ? 0 : image[pixel(row, column, y, x)]
        }
    }

    /// The intensities of each row of panels in any order.
    func mixed(_ random: RandomStream) -> [Float] {
        var result = image
        let size = layout.height * layout.columns * layout.width
        for row in 0..<layout.rows {
            let seen = (row * size..<(row + 1) * size).filter { mask[$0] == 0 }
            let keys = seen.map { random.uniform(at: $0) }
            let order = seen.indices.sorted { keys[$0] < keys[$1] }
            for (place, from) in zip(seen, order) { result[place] = image[seen[from]] }
        }
        return result
    }
}
