import Artifacts
import Instruments
import Learning

/// The panel of a measurement that the training images explain least.
struct StrangePlace: Hashable, Sendable {
    /// meV
    var incidentEnergy: Double
    /// Lower and upper edge of the panel's energies, meV.
    var energies: ClosedRange<Double>
    /// The strangest block of the panel, along the axes of the image: centres of its outermost pixels, r.l.u.
    var h: ClosedRange<Double>
    var k: ClosedRange<Double>
    /// What is left over there, as a root of the mean square in units of what training images leave of each other.
    var ratio: Double

    init?(_ residual: ImageResidual, _ geometry: ImageGeometry) {
        guard let found = residual.strangest else { return nil }
        let layout = residual.layout
        // The pixels of a block, as `PixelBlocks` shares them out.
        let down = (0..<layout.height).filter { $0 * layout.down / layout.height == found.block.down }
        let across = (0..<layout.width).filter { $0 * layout.across / layout.width == found.block.across }
        guard let top = down.first, let bottom = down.last, let left = across.first, let right = across.last else {
            return nil
        }
        // h falls downwards.
        let first = geometry.pixel(
            row: found.row * layout.height + bottom, column: found.column * layout.width + left)
        let last = geometry.pixel(row: found.row * layout.height + top, column: found.column * layout.width + right)
        incidentEnergy = first.incidentEnergy
        energies = first.energies
        h = first.x...last.x
        k = first.y...last.y
        ratio = found.mean.squareRoot()
    }

    var wording: String {
        "strangest at Ei = \(short(incidentEnergy)) meV, E = \(short(energies.lowerBound)) to "
            + "\(short(energies.upperBound)) meV: what training simulations do not explain is \(short(ratio)) times what "
            + "is usual, most of all at h = \(short(h.lowerBound)) to \(short(h.upperBound)), k = \(short(k.lowerBound)) to "
            + "\(short(k.upperBound))"
    }

    var value: Value {
        func range(_ range: ClosedRange<Double>) -> Value {
            .list([.double(range.lowerBound), .double(range.upperBound)])
        }
        return .record([
            "incident-energy": .double(incidentEnergy), "energy": range(energies), "h": range(h), "k": range(k),
            "ratio": .double(ratio),
        ])
    }

    private func short(_ x: Double) -> String {
        let rounded = (x * 100).rounded() / 100
        return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
    }
}
