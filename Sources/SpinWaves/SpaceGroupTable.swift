import CSpglib
import Synchronization

/// The 530 settings of the 230 space groups, from the database of the Spglib library (A. Togo, K. Shinohara and I. Tanaka,
/// Sci. Technol. Adv. Mater.: Methods 4 (2024) 2384822). All use of the library is in this file.
struct SpaceGroupTable {
    struct Setting: Sendable {
        var hallNumber: Int
        var number: Int
        /// `F d -3 m`: the short symbol with spaces; for monoclinic groups the full one, `P 1 21/n 1`.
        var symbol: String
        /// All spellings, spaces kept and underscores dropped: `P 21/c`, `P 1 21/c 1`.
        var spellings: [String]
        /// `2`, `H`, `b1`, `-cba`; empty for groups with one setting.
        var choice: String
    }

    /// In the order of Hall numbers.
    static let settings: [Setting] = (1...530).map { hall in
        lock.withLock { _ in
            let type = spg_get_spacegroup_type(Int32(hall))
            let long = text(type.international)
            var spellings = long.split(separator: "=").map { trimmed(String($0)) }
            let first = spellings.first ?? ""
            let full = trimmed(text(type.international_full))
            spellings += [full, text(type.international_short)]
            // Monoclinic settings also by their full symbol without its two ones: P 21/n.
            let isMonoclinic = (3...15).contains(type.number)
            if isMonoclinic { spellings.append(full.replacing(" 1", with: "")) }
            return Setting(
                hallNumber: hall, number: Int(type.number), symbol: plain(isMonoclinic ? full : first),
                spellings: spellings.map(plain), choice: text(type.choice).replacing(" ", with: ""))
        }
    }

    /// The operations of a setting, the identity first.
    ///
    /// - Precondition: a Hall number from 1 to 530.
    static func operators(hallNumber: Int) -> [SymmetryOperator] {
        precondition((1...530).contains(hallNumber))
        let none: (Int32, Int32, Int32) = (0, 0, 0)
        var rotations = Array(repeating: (none, none, none), count: 192)
        var translations: [(Double, Double, Double)] = Array(repeating: (0, 0, 0), count: 192)
        let count = lock.withLock { _ in
            spg_get_symmetry_from_database(&rotations, &translations, Int32(hallNumber))
        }
        return zip(rotations, translations).prefix(Int(count)).map { r, t in
            SymmetryOperator(
                rotation: IntegerMatrix3(rows: row(r.0), row(r.1), row(r.2)), translation: Vector3(t.0, t.1, t.2))
        }
    }

    /// The number and short symbol of the type of a group in any setting; nil where the library finds none.
    static func type(of group: [SymmetryOperator], lattice: Lattice) -> (number: Int, symbol: String)? {
        var operators: [SymmetryOperator] = []
        for var operation in group {
            operation.reversesTime = false
            if !operators.contains(where: { $0.isSame(as: operation) }) { operators.append(operation) }
        }
        var rotations = operators.map { o in
            let r = o.rotation
            return (row(r.x), row(r.y), row(r.z))
        }
        var translations = operators.map { ($0.translation.x, $0.translation.y, $0.translation.z) }
        // Cell vectors are columns there.
        let t = lattice.cell.transposed
        var cell = [t.x, t.y, t.z].map { ($0.x, $0.y, $0.z) }
        let type = lock.withLock { _ in
            spg_get_spacegroup_type_from_symmetry(
                &rotations, &translations, Int32(operators.count), &cell, 1e-4)
        }
        guard (1...230).contains(type.number) else { return nil }
        return (Int(type.number), plain(text(type.international_short)))
    }

    private static func row(_ r: (Int32, Int32, Int32)) -> SIMD3<Int> { SIMD3(Int(r.0), Int(r.1), Int(r.2)) }

    private static func row(_ r: SIMD3<Int>) -> (Int32, Int32, Int32) { (Int32(r.x), Int32(r.y), Int32(r.z)) }

    /// The library keeps its last error in a global.
    private static let lock = Mutex(())

    private static func text<T>(_ field: T) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func plain(_ symbol: String) -> String { symbol.replacing("_", with: "") }
}
