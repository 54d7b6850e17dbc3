import Artifacts
import Tensors

/// Where and by how much two values differ, leaf by leaf.
public struct ValueComparison: Sendable, Hashable {
    /// Two arrays of one shape, or two numbers (arrays of no dimension).
    public struct Numbers: Sendable, Hashable {
        /// Largest absolute difference; infinite where one is a number and the other NaN or infinite.
        public var maximum: Double
        /// Root of the mean square difference over all elements.
        public var rms: Double
        /// Where the largest difference is; empty for a number.
        public var place: [Int]
        /// The two elements there.
        public var was: Double
        public var now: Double
        /// The largest finite magnitude in either.
        public var scale: Double
        public var elements: Int
        /// Elements that differ.
        public var differing: Int
        /// Whole numbers on both sides: a difference is never rounding.
        public var areWhole: Bool

        /// The largest difference over the largest magnitude.
        public var relative: Double { maximum == 0 ? 0 : areWhole || scale == 0 ? .infinity : maximum / scale }
    }

    public enum Kind: Sendable, Hashable {
        case numbers(Numbers)
        /// Texts, shapes, kinds, or fields that one side lacks (nil): what cannot be subtracted.
        case words(was: String?, now: String?)
    }

    public struct Leaf: Sendable, Hashable {
        /// Field names and list positions from the top, joined by dots; empty for a value that is one leaf.
        public var path: String
        public var kind: Kind
    }

    /// Those that differ, in the order of their paths.
    public var leaves: [Leaf]

    /// The largest relative difference of all leaves: 0 when none differs, infinite when one cannot be subtracted.
    public var relative: Double {
        leaves.reduce(0) { worst, leaf in
            if case .numbers(let numbers) = leaf.kind { max(worst, numbers.relative) } else { .infinity }
        }
    }

    public init(was: Value, now: Value) {
        leaves = []
        compare(was, now, at: "")
    }

    private mutating func compare(_ was: Value, _ now: Value, at path: String) {
        func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch (was, now) {
        case (.record(let a), .record(let b)):
            for name in Set(a.keys).union(b.keys).sorted() {
                if let old = a[name], let new = b[name] {
                    compare(old, new, at: joined(name))
                } else {
                    add(joined(name), .words(was: a[name]?.brief, now: b[name]?.brief))
                }
            }
        case (.list(let a), .list(let b)) where a.count == b.count:
            // A list of numbers is an array of one dimension.
            if a.count > 1, let old = Self.doubles(a), let new = Self.doubles(b) {
                add(path, Self.numbers(old, new, shape: [a.count], areWhole: false))
                return
            }
            for (index, pair) in zip(a, b).enumerated() { compare(pair.0, pair.1, at: joined(String(index))) }
        case (.tensor(let a), .tensor(let b)) where a.shape == b.shape && a.elementType == b.elementType:
            let areWhole =
                switch a {
                case .float32, .float64: false
                case .uint8, .int32, .int64: true
                }
            add(path, Self.numbers(a.asFloat64.elements, b.asFloat64.elements, shape: a.shape, areWhole: areWhole))
        case (.int(let a), .int(let b)):
            // Beyond 2⁵³ two neighbours are one double.
            if a != b, Double(a) == Double(b) {
                add(path, .words(was: String(a), now: String(b)))
            } else {
                add(path, Self.numbers([Double(a)], [Double(b)], shape: [], areWhole: true))
            }
        case (.double(let a), .double(let b)):
            add(path, Self.numbers([a], [b], shape: [], areWhole: false))
        default:
            if was != now { add(path, .words(was: was.brief, now: now.brief)) }
        }
    }

    /// - Returns: nil unless all elements are doubles.
    private static func doubles(_ list: [Value]) -> [Double]? {
        var doubles: [Double] = []
        for element in list {
            guard case .double(let double) = element else { return nil }
            doubles.append(double)
        }
        return doubles
    }

    private mutating func add(_ path: String, _ kind: Kind?) {
        if let kind { leaves.append(Leaf(path: path, kind: kind)) }
    }

    /// - Returns: nil when all elements are equal, NaN to NaN.
    private static func numbers(_ was: [Double], _ now: [Double], shape: [Int], areWhole: Bool) -> Kind? {
        var (worst, place, differing) = (0.0, 0, 0)
        var (squares, scale) = (0.0, 0.0)
        for index in was.indices {
            let (a, b) = (was[index], now[index])
            if a.isFinite { scale = max(scale, abs(a)) }
            if b.isFinite { scale = max(scale, abs(b)) }
            if a == b || (a.isNaN && b.isNaN) { continue }
            differing += 1
            let difference = a.isFinite && b.isFinite ? abs(a - b) : .infinity
            squares += difference * difference
            if difference > worst { (worst, place) = (difference, index) }
        }
        if differing == 0 { return nil }
        var indices: [Int] = []
        var rest = place
        for extent in shape.reversed() {
            indices.append(rest % extent)
            rest /= extent
        }
        return .numbers(
            Numbers(
                maximum: worst, rms: (squares / Double(was.count)).squareRoot(), place: indices.reversed(),
                was: was[place], now: now[place], scale: scale, elements: was.count, differing: differing,
                areWhole: areWhole))
    }
}
