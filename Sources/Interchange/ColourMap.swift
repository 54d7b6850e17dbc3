/// A path through colours, for numbers between 0 and 1.
public struct ColourMap: Hashable, Sendable {
    /// A colour in sRGB, 8 bits a channel.
    public struct Colour: Hashable, Sendable {
        public var red: UInt8
        public var green: UInt8
        public var blue: UInt8

        public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        /// `#rrggbb`.
        public var hex: String {
            let digits = Array("0123456789abcdef")
            return "#" + String([red, green, blue].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
    }

    public var name: String
    /// Evenly spaced from 0 to 1; at least two. Between them, straight lines in sRGB.
    public var controlPoints: [Colour]

    public init(name: String, controlPoints: [Colour]) {
        precondition(controlPoints.count >= 2, "a colour map has at least two colours")
        (self.name, self.controlPoints) = (name, controlPoints)
    }

    /// The colour at `position`, held to 0…1; NaN gives the first colour.
    public func colour(at position: Double) -> Colour {
        let scaled = (position > 0 ? min(position, 1) : 0) * Double(controlPoints.count - 1)
        let index = min(Int(scaled), controlPoints.count - 2)
        let t = scaled - Double(index)
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Double(a) * (1 - t) + Double(b) * t).rounded()) }
        let (a, b) = (controlPoints[index], controlPoints[index + 1])
        return Colour(mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue))
    }

    /// Perceptually uniform, dark violet to yellow, also for the colour-blind.
    ///
    /// Nine evenly spaced colours of viridis (S. van der Walt, N. Smith, matplotlib 1.5, CC0).
    public static let viridis = ColourMap(
        name: "viridis",
        controlPoints: [
            Colour(68, 1, 84), Colour(71, 44, 122), Colour(59, 81, 139), Colour(44, 113, 142), Colour(33, 144, 141),
            Colour(39, 173, 129), Colour(92, 200, 99), Colour(170, 220, 50), Colour(253, 231, 37),
        ])

    /// Perceptually uniform, black through red to pale yellow: weak signals stay dark.
    ///
    /// Nine evenly spaced colours of inferno (S. van der Walt, N. Smith, matplotlib 1.5, CC0).
    public static let inferno = ColourMap(
        name: "inferno",
        controlPoints: [
            Colour(0, 0, 4), Colour(31, 12, 72), Colour(85, 15, 109), Colour(136, 34, 106), Colour(186, 54, 85),
            Colour(227, 89, 51), Colour(249, 140, 10), Colour(249, 201, 50), Colour(252, 255, 164),
        ])

    /// Diverging: blue below the middle, near-white at it, red above; safe for the colour-blind.
    ///
    /// The eleven colours of ColorBrewer's RdBu, reversed (C. Brewer, colorbrewer2.org, Apache-2.0).
    public static let blueRed = ColourMap(
        name: "blue-red",
        controlPoints: [
            Colour(5, 48, 97), Colour(33, 102, 172), Colour(67, 147, 195), Colour(146, 197, 222), Colour(209, 229, 240),
            Colour(247, 247, 247), Colour(253, 219, 199), Colour(244, 165, 130), Colour(214, 96, 77),
            Colour(178, 24, 43), Colour(103, 0, 31),
        ])

    /// Dark to light grey: the ground under an overlay.
    public static let grey = ColourMap(name: "grey", controlPoints: [Colour(16, 16, 16), Colour(245, 245, 245)])

    /// Light to dark grey: the ground under an overlay on paper.
    public static let ink = ColourMap(name: "ink", controlPoints: [Colour(250, 250, 250), Colour(70, 70, 70)])
}
