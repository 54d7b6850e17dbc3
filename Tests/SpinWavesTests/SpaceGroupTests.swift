import Testing

@testable import SpinWaves

@Suite("Space groups")
struct SpaceGroupTests {
    @Test(
        "orders of the groups modulo the lattice, International Tables A",
        arguments: [
            (1, 1), (2, 2), (14, 4), (15, 8), (62, 8), (64, 16), (70, 32), (136, 16), (139, 32), (141, 32), (148, 18),
            (166, 36), (167, 36), (194, 24), (198, 12), (221, 48), (225, 192), (227, 192), (229, 96), (230, 96),
        ])
    func orders(number: Int, order: Int) throws {
        let group = try SpaceGroup(number: number)
        #expect(group.operators.count == order)
        #expect(group.operators[0] == .identity)
        #expect(group.number == number)
    }

    @Test("all 530 settings are groups: products of their operations are among them")
    func closure() throws {
        for hall in 1...530 {
            let operators = try SpaceGroup(hallNumber: hall).operators
            // Lagrange: a set that generates itself and no more is closed.
            let generated = try SpaceGroup(generators: operators)
            #expect(generated.operators.count == operators.count, "Hall number \(hall)")
        }
    }

    @Test("the operations of P 21/c, from the International Tables")
    func written() throws {
        let group = try SpaceGroup(symbol: "P 21/c")
        #expect(
            Set(group.operators.map(\.description)) == [
                "x, y, z", "-x, y+1/2, -z+1/2", "-x, -y, -z", "x, -y+1/2, z+1/2",
            ])
        // Two of them generate it.
        let generated = try SpaceGroup(operators: ["-x, 1/2+y, 1/2 - z", "-X,-Y,-Z"])
        #expect(Set(generated.operators) == Set(group.operators))
    }

    @Test(
        "symbols as people write them",
        arguments: [
            ("F d -3 m", 227, 526), ("Fd-3m", 227, 526), ("Fd-3m:1", 227, 525), ("F d -3 m : 2", 227, 526),
            ("fd-3m", 227, 526), ("F 41/d -3 2/m", 227, 526), ("P 63/m m c", 194, 488), ("P6_3/mmc", 194, 488),
            ("P 21/c", 14, 81), ("P 1 21/c 1", 14, 81), ("P21/n", 14, 82), ("P 1 1 21/b", 14, 86),
            ("R -3 m", 166, 458), ("R-3m:R", 166, 459), ("R -3 m:H", 166, 458), ("P n m a", 62, 292), ("Pbnm", 62, 294),
            ("P 42/m n m", 136, 419), ("I 4/m m m", 139, 424), ("F d -3 m S", 227, 525), ("F d -3 m Z", 227, 526),
            ("R -3 m R", 166, 459), ("P 31 2 1", 152, 441), ("P 3 1 2", 149, 438),
        ])
    func symbols(symbol: String, number: Int, hall: Int) throws {
        let group = try SpaceGroup(symbol: symbol)
        #expect(group.number == number)
        #expect(group.hallNumber == hall)
        // The name that the group gives itself leads back to it.
        #expect(try SpaceGroup(symbol: group.description).hallNumber == hall)
    }

    @Test("each of the 530 settings is reached by its own description")
    func ownNames() throws {
        for hall in 1...530 {
            let group = try SpaceGroup(hallNumber: hall)
            #expect(try SpaceGroup(symbol: group.description).hallNumber == hall, "\(group.description)")
        }
    }

    @Test("no spelling means two groups, with or without its spaces")
    func unambiguous() {
        var numbers: [String: Set<Int>] = [:]
        for setting in SpaceGroupTable.settings {
            for spelling in setting.spellings {
                numbers[spelling.lowercased().filter { $0 != " " }, default: []].insert(setting.number)
            }
        }
        #expect(numbers.filter { $0.value.count > 1 }.isEmpty)
        #expect(Set(SpaceGroupTable.settings.map(\.number)) == Set(1...230))
    }

    @Test("standard settings: centre of symmetry at the origin, hexagonal axes, unique axis b")
    func standard() throws {
        for number in 1...230 {
            let group = try SpaceGroup(number: number)
            let hasInversion = group.operators.contains { $0.rotation == inversion }
            // Centrosymmetric groups have a standard setting with the centre at the origin, International Tables A.
            if hasInversion {
                let central = group.operators.contains { $0.rotation == inversion && $0.translation == .zero }
                #expect(central, "\(group.description)")
            }
        }
        #expect(try SpaceGroup(number: 146).operators.count == 9)
        #expect(try SpaceGroup(number: 146, setting: "R").operators.count == 3)
        #expect(try SpaceGroup(number: 4).operators.map(\.description) == ["x, y, z", "-x, y+1/2, -z"])
    }

    @Test("the type of a group is found whatever its setting")
    func types() throws {
        // One cell that has every symmetry of its system.
        let cells = [
            try Lattice(a: 4, b: 5, c: 6), try Lattice(a: 4, b: 4, c: 6), try Lattice(a: 4, b: 4, c: 6, gamma: 120),
            try Lattice(a: 5, b: 5, c: 5),
        ]
        for hall in stride(from: 108, through: 530, by: 7) {
            let group = try SpaceGroup(hallNumber: hall)
            guard let number = group.number, !group.description.hasSuffix(":R") else { continue }
            let cell = cells[number < 75 ? 0 : number < 143 ? 1 : number < 195 ? 2 : 3]
            let type = SpaceGroupTable.type(of: group.operators, lattice: cell)
            #expect(type?.number == number, "\(group.description)")
        }
    }

    private let inversion = IntegerMatrix3(rows: SIMD3(-1, 0, 0), SIMD3(0, -1, 0), SIMD3(0, 0, -1))

    private func failure(_ body: () throws(CrystalError) -> Void) -> CrystalError? {
        do { try body() } catch { return error }
        return nil
    }

    @Test("errors of names")
    func names() {
        let symbol = failure { () throws(CrystalError) in _ = try SpaceGroup(symbol: "F d 3 m") }
        #expect(symbol?.description == "no space group is called 'F d 3 m'")
        #expect(symbol?.hint == "did you mean 'F d -3 m'?")
        let strange = failure { () throws(CrystalError) in _ = try SpaceGroup(symbol: "spinel") }
        #expect(strange?.hint == "write the symbol as 'F d -3 m', or the number from 1 to 230")
        let setting = failure { () throws(CrystalError) in _ = try SpaceGroup(symbol: "F d -3 m:3") }
        #expect(setting?.description == "the space group F d -3 m has no setting '3'")
        #expect(setting?.hint == "its settings are 1, 2")
        let number = failure { () throws(CrystalError) in _ = try SpaceGroup(number: 231) }
        #expect(number?.description == "there is no space group 231")
        let hall = failure { () throws(CrystalError) in _ = try SpaceGroup(hallNumber: 0) }
        #expect(hall?.description == "there is no space-group setting with the Hall number 0")
    }

    @Test(
        "operations that are none",
        arguments: [
            ("x, y", "it has 2 entries, not three"), ("x, y, w", "'w' is neither x, y, z nor a number"),
            ("x, y, ", "an entry is empty"), ("1/2x, y, z", "the factor 1/2 of x is not a whole number"),
            ("x, x, z", "its matrix has the determinant 0, not 1 or -1"),
            ("x, y+1/0, z", "'1/0' is no number"), ("x, y, z, 2", "the fourth entry must be +1 or -1"),
            ("100x, y, z", "the factor of x is too large"), ("x, y, z+", "'z+' is neither x, y, z nor a number"),
        ])
    func operators(text: String, reason: String) {
        let error = failure { () throws(CrystalError) in _ = try SpaceGroup(operators: [text]) }
        #expect(error?.description == "'\(text)' is no symmetry operation: \(reason)")
    }

    @Test("a shear never closes")
    func shear() {
        let error = failure { () throws(CrystalError) in _ = try SpaceGroup(operators: ["x+y, y, z"]) }
        #expect(error == .notClosed(limit: 192))
        // Nor does a matrix whose powers grow like those of the golden ratio.
        let growing = failure { () throws(CrystalError) in _ = try SpaceGroup(operators: ["2x+y, x+y, z"]) }
        #expect(growing == .notClosed(limit: 192))
        // 1/7 of an edge closes after seven steps; a decimal that is no fraction does not.
        #expect(try! SpaceGroup(operators: ["x+0.142857, y, z"]).operators.count == 7)
    }
}
