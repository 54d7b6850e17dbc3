import Tensors

/// What exchanging two domains, mirror images under h ↔ k (`Twin.exchanged`), does to a measured image.
///
/// With A what the first domain alone would show, Aᵗ its mirror image and f the first domain's volume fraction, a crystal shows
///
///     M_f = f A + (1 − f) Aᵗ,   M_fᵗ = (1 − f) A + f Aᵗ = M_{1−f}
///
/// Every fraction f′ is a mixture of the two, which are both known:
///
///     M_f′ = (1 − w) M_f + w M_fᵗ,   w = (f − f′)/(2f − 1)
///
/// Between f and 1 − f, w lies in 0…1 and counting noise does not grow. Beyond, A would have to be told from Aᵗ by the small
/// difference of M and Mᵗ, which amplifies noise without bound as f nears 1/2: there w stays at the nearer end.
///
/// The mirror image takes the resolution, the backgrounds and the detectors' responses along, which a domain would not.
public struct DomainExchange: Sendable {
    /// For each pixel the one that shows h and k exchanged.
    private let partners: [Int]

    /// Nil where the mirror image falls between pixels: unless both axes are alike, count along a* and b*, and each pixel's
    /// place (h, k) = (k a/b, h b/a) lies in the pixel of the exchanged indices. a and b may differ by so little.
    public init?(_ geometry: ImageGeometry) {
        let (h, k) = (geometry.h, geometry.k)
        guard geometry.volume == nil, geometry.projection == [1, 0, 0, 1], h == k else { return nil }
        let ratio = geometry.lattice[0] / geometry.lattice[1]
        for index in 0..<h.count {
            let centre = h.centre(index)
            guard h.index(of: centre * ratio) == index, k.index(of: centre / ratio) == index else { return nil }
        }
        let (size, columns) = (h.count, geometry.columns)
        partners = (0..<geometry.rows * columns).map { pixel in
            let (row, column) = (pixel / columns, pixel % columns)
            // h falls along rows, k rises along columns.
            let (i, j) = (size - 1 - row % size, column % size)
            return (row / size * size + size - 1 - j) * columns + column / size * size + i
        }
    }

    /// w for a crystal of fraction `other` where one of `fraction` was measured, within 0…1; 0 for equal domains, whose image is its
    /// own mirror image.
    public static func weight(fraction: Double, other: Double) -> Double {
        let asymmetry = 2 * fraction - 1
        return asymmetry == 0 ? 0 : min(max((fraction - other) / asymmetry, 0), 1)
    }

    /// (1 − w) M + w Mᵗ. A pixel without data stays without; one whose partner has none stays as it is.
    ///
    /// - Parameters:
    ///   - image: M, [rows, columns] of the geometry.
    ///   - missing: 1 where there is no data, of the same shape.
    ///   - weight: w, 0…1.
    public func mixed(
        _ image: Tensor<Float>, missing: Tensor<UInt8>, weight: Double
    ) throws(InstrumentError) -> Tensor<Float> {
        guard image.count == partners.count else {
            throw .shape("the image", expected: [partners.count], found: image.shape)
        }
        guard missing.shape == image.shape else {
            throw .shape("the mask", expected: image.shape, found: missing.shape)
        }
        var result = image
        for (pixel, partner) in partners.enumerated()
        where missing.elements[pixel] == 0 && missing.elements[partner] == 0 {
            let (own, mirrored) = (Double(image.elements[pixel]), Double(image.elements[partner]))
            // Exact for equal pixels, and at both ends.
            result.elements[pixel] = Float(weight == 1 ? mirrored : own + weight * (mirrored - own))
        }
        return result
    }
}
