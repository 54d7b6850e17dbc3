/// A space group in one of its settings: all operations of one cell, lattice centrings among them.
///
/// Where a group has several settings and none is named, the standard ones are taken: unique axis b and cell choice 1,
/// hexagonal axes for rhombohedral groups, the origin at the centre of symmetry (choice 2).
public struct SpaceGroup: Hashable, Sendable, CustomStringConvertible {
    /// The identity first.
    public let operators: [SymmetryOperator]
    /// From 1 to 230; nil when the group was given by operators.
    public let number: Int?
    /// Spglib's number of the setting, from 1 to 530; nil when the group was given by operators.
    public let hallNumber: Int?
    /// `F d -3 m:2`, or `the operators given`.
    public let description: String

    /// No symmetry but the lattice's: P 1.
    public static let trivial = SpaceGroup(setting: SpaceGroupTable.settings[0])

    private init(setting: SpaceGroupTable.Setting) {
        operators = SpaceGroupTable.operators(hallNumber: setting.hallNumber)
        number = setting.number
        hallNumber = setting.hallNumber
        description = setting.choice.isEmpty ? setting.symbol : "\(setting.symbol):\(setting.choice)"
    }

    /// The standard setting of a number from 1 to 230, or the setting named (`1`, `2`, `H`, `R`, `b1`, `cab`).
    public init(number: Int, setting: String? = nil) throws(CrystalError) {
        let known = SpaceGroupTable.settings.filter { $0.number == number }
        guard !known.isEmpty else { throw .unknownNumber(number) }
        self.init(setting: try Self.choose(known, setting, symbol: "\(number)"))
    }

    /// A setting by its Hall number, from 1 to 530.
    public init(hallNumber: Int) throws(CrystalError) {
        guard (1...530).contains(hallNumber) else { throw .unknownHallNumber(hallNumber) }
        self.init(setting: SpaceGroupTable.settings[hallNumber - 1])
    }

    /// By Hermann–Mauguin symbol: `F d -3 m`, `Fd-3m:1`, `P 21/n`, `P 1 21/c 1`; spaces, underscores and case as one likes.
    ///
    /// - Throws: `.unknownSymbol` with the nearest one, `.unknownSetting`.
    public init(symbol: String) throws(CrystalError) {
        var parts = symbol.split(separator: ":", maxSplits: 1).map(String.init)
        // Old files end a symbol with H, R, S or Z for hexagonal and rhombohedral axes, first and second origin.
        let words = symbol.split(separator: " ").map(String.init)
        if parts.count == 1, words.count > 1,
            let setting = ["H": "H", "R": "R", "S": "1", "Z": "2"][words[words.count - 1]]
        {
            parts = [words.dropLast().joined(separator: " "), setting]
        }
        let key = Self.squeezed(parts.first ?? "")
        let known = SpaceGroupTable.settings.filter { setting in
            setting.spellings.contains { Self.squeezed($0) == key }
        }
        guard let first = known.first else {
            throw .unknownSymbol(symbol, nearest: Self.nearest(to: key))
        }
        let setting = parts.count == 2 ? parts[1].filter { $0 != " " } : nil
        // A spelling may fit several groups' settings (A 2/a and the like): they are of one number.
        self.init(setting: try Self.choose(known, setting, symbol: first.symbol))
    }

    /// The group that operators such as `-x, y+1/2, -z` generate.
    ///
    /// - Throws: `.operatorText`; `.notClosed` when their products exceed 192 operations.
    public init(operators texts: [String]) throws(CrystalError) {
        var generators: [SymmetryOperator] = []
        for text in texts { generators.append(try SymmetryOperator(text)) }
        try self.init(generators: generators)
    }

    /// The group that operators generate, time reversal kept; at most `limit` operations.
    public init(generators: [SymmetryOperator], limit: Int = 192) throws(CrystalError) {
        var all: [SymmetryOperator] = []
        var known: [IntegerMatrix3: [Int]] = [:]
        func isNew(_ operation: SymmetryOperator) -> Bool {
            !(known[operation.rotation] ?? []).contains { all[$0].isSame(as: operation) }
        }
        for operation in [SymmetryOperator.identity] + generators where isNew(operation) {
            known[operation.rotation, default: []].append(all.count)
            all.append(operation)
        }
        var next = 0
        while next < all.count {
            for generator in generators {
                let product = generator * all[next]
                guard isNew(product) else { continue }
                if all.count >= limit { throw .notClosed(limit: limit) }
                known[product.rotation, default: []].append(all.count)
                all.append(product)
            }
            next += 1
        }
        operators = all
        number = nil
        hallNumber = nil
        description = "the operators given"
    }

    private static func choose(
        _ known: [SpaceGroupTable.Setting], _ setting: String?, symbol: String
    ) throws(CrystalError) -> SpaceGroupTable.Setting {
        if let setting {
            let wanted = setting.lowercased()
            if let found = known.first(where: { $0.choice.lowercased() == wanted }) { return found }
            throw .unknownSetting(symbol: symbol, setting: setting, known: known.map(\.choice).filter { !$0.isEmpty })
        }
        return known.first { $0.choice.hasPrefix("2") } ?? known[0]
    }

    private static func squeezed(_ symbol: String) -> String {
        symbol.lowercased().filter { $0 != " " && $0 != "_" }
    }

    /// The known symbol with the fewest edits from a squeezed one, at most two; of equals the one of its length.
    private static func nearest(to key: String) -> String? {
        var best: (symbol: String, edits: Int)?
        for setting in SpaceGroupTable.settings {
            for spelling in setting.spellings {
                let squeezed = squeezed(spelling)
                let distance = editDistance(Array(squeezed), Array(key))
                let edits = 2 * distance + (squeezed.count == key.count ? 0 : 1)
                if distance <= 2, edits < best?.edits ?? 6 { best = (spelling, edits) }
            }
        }
        return best?.symbol
    }

    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let change = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
