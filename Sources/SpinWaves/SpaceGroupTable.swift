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
        var rotations = [Int32](repeating: 0, count: 192 * 9)
        var translations = [Double](repeating: 0, count: 192 * 3)
        let count = lock.withLock { _ in
            rotations.withUnsafeMutableBytes { r in
                translations.withUnsafeMutableBytes { t in
                    Int(
                        spg_get_symmetry_from_database(
                            r.baseAddress!.assumingMemoryBound(
                                to: (
                                    (Int32, Int32, Int32), (Int32, Int32, Int32),
                                    (
                                        Int32, Int32, Int32
                                    )
                                ).self),
                            t.baseAddress!.assumingMemoryBound(to: (Double, Double, Double).self), Int32(hallNumber)))
                }
            }
        }
        return (0..<count).map { k in
            let r = rotations[9 * k..<9 * k + 9].map(Int.init)
            return SymmetryOperator(
                rotation: IntegerMatrix3(
                    rows: SIMD3(r[0], r[1], r[2]), SIMD3(r[3], r[4], r[5]), SIMD3(r[6], r[7], r[8])),
                translation: Vector3(translations[3 * k], translations[3 * k + 1], translations[3 * k + 2]))
        }
    }

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
