/// What can be wrong with a crystal: what, and what now in `hint`.
public enum CrystalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A symmetry operation that cannot be read.
    case operatorText(String, reason: String)
    /// No space group has this symbol; the nearest known one.
    case unknownSymbol(String, nearest: String?)
    /// The symbol is known, but not in this setting; those that are.
    case unknownSetting(symbol: String, setting: String, known: [String])
    case unknownNumber(Int)
    case unknownHallNumber(Int)
    /// Products of the operators given do not end within `limit`.
    case notClosed(limit: Int)
    /// This operator does not leave lengths and angles of the cell as they are.
    case latticeMismatch(operation: String, group: String, cell: String)
    /// Two equivalent positions of a site nearly coincide: it was meant to be on a special position.
    case almostSpecial(site: String, distance: Double, nearest: Vector3)
    /// A fractional coordinate above a million, or none.
    case farAway(site: String)
    /// Two sites of the asymmetric unit have a position in common.
    case sitesCoincide(String, String)
    /// The operators do not map the sites onto each other.
    case notASymmetry(operation: String, site: String)
    /// The tensor of a bond or site breaks the symmetry; the shape that it allows.
    case forbidden(what: String, allowed: String)
    /// A magnetic operation that keeps the site turns its moment.
    case momentBreaksSymmetry(site: String, operation: String)
    /// There is no such bond in the crystal.
    case noSuchBond(String)
    /// A CIF file: where known, the line from 1.
    case file(String, line: Int?)
    /// More bonds than can be listed were asked for.
    case tooManyBonds(distance: Double)

    public var description: String {
        switch self {
        case .operatorText(let text, let reason): "'\(text)' is no symmetry operation: \(reason)"
        case .unknownSymbol(let symbol, _): "no space group is called '\(symbol)'"
        case .unknownSetting(let symbol, let setting, _): "the space group \(symbol) has no setting '\(setting)'"
        case .unknownNumber(let number): "there is no space group \(number)"
        case .unknownHallNumber(let number): "there is no space-group setting with the Hall number \(number)"
        case .notClosed(let limit): "products of these operators do not end: more than \(limit) operations"
        case .latticeMismatch(let operation, let group, let cell):
            "the cell \(cell) does not have the symmetry \(operation) of \(group)"
        case .almostSpecial(let site, let distance, _):
            "site \(site) has equivalent positions only \(String(shortest: distance)) Å apart"
        case .farAway(let site): "the position of site \(site) lies a million cells away"
        case .sitesCoincide(let a, let b): "sites \(a) and \(b) have equivalent positions: they are the same site"
        case .notASymmetry(let operation, let site): "the operation \(operation) takes site \(site) to where no site is"
        case .forbidden(let what, _): "\(what) breaks the symmetry of the crystal"
        case .momentBreaksSymmetry(let site, let operation):
            "the operation \(operation) keeps site \(site) and turns its moment"
        case .noSuchBond(let text): text
        case .file(let text, _): text
        case .tooManyBonds(let distance):
            "there are more than \(Crystal.bondLimit) bonds up to \(String(shortest: distance)) Å"
        }
    }

    public var hint: String? {
        switch self {
        case .operatorText: "write such as '-x, y+1/2, -z'"
        case .unknownSymbol(_, let nearest):
            nearest.map { "did you mean '\($0)'?" } ?? "write the symbol as 'F d -3 m', or the number from 1 to 230"
        case .unknownSetting(_, _, let known):
            known.isEmpty
                ? "it has one setting; leave out the part behind ':'"
                : "its settings are \(known.joined(separator: ", "))"
        case .unknownNumber: "space groups have the numbers 1 to 230"
        case .unknownHallNumber: "Hall numbers go from 1 to 530"
        case .notClosed: "one of them is no symmetry of a crystal; a rotation in hexagonal axes is written 'x-y, x, z'"
        case .latticeMismatch: "change the cell edges or angles, or name another setting of the group"
        case .almostSpecial(_, _, let nearest):
            "write the special position exactly: [\((0..<3).map { String(fraction: nearest[$0]) }.joined(separator: ", "))]"
        case .farAway: "positions are fractions of the cell edges"
        case .sitesCoincide: "list one position of each set of equivalent sites"
        case .notASymmetry: "give a group of lower symmetry"
        case .forbidden(_, let allowed):
            "it allows" + allowed.split(separator: "\n").map { "\n    \($0)" }.joined()
        case .tooManyBonds: "ask for shorter bonds"
        case .momentBreaksSymmetry: "the moment does not belong to these magnetic operations"
        case .noSuchBond, .file: nil
        }
    }
}
