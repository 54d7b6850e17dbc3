import Quantities
import Testing

@Suite("Quantities")
struct QuantityTests {
    @Test("equal quantities in different units are the same number, bit for bit")
    func units() throws {
        #expect(try Quantity("0.8 meV", as: .energy).value == Quantity("800 ueV", as: .energy).value)
        #expect(try Quantity("25meV", as: .energy).value == 25)
        #expect(try Quantity("0.3 nm", as: .length).value == 3)
        #expect(try Quantity("1e3 mK", as: .temperature).value == 1)
        #expect(try Quantity("-11.39 meV", as: .energy).value == -11.39)
        #expect(try Quantity("0", as: .energy).value == 0)
    }

    @Test("a unit is not mistaken for an exponent")
    func exponent() throws {
        #expect(try Quantity("1eV", as: .energy).value == 1000)
        #expect(try Quantity("2e-1 meV", as: .energy).value == 0.2)
    }

    @Test("what is wrong is named")
    func errors() {
        #expect(throws: Quantity.ParseError.missingUnit(3)) { try Quantity("3", as: .energy) }
        #expect(throws: Quantity.ParseError.wrongUnit("T", belongsTo: .field)) { try Quantity("3 T", as: .energy) }
        #expect(throws: Quantity.ParseError.wrongUnit("parsec", belongsTo: nil)) {
            try Quantity("3 parsec", as: .energy)
        }
        #expect(throws: Quantity.ParseError.notANumber("meV")) { try Quantity("meV", as: .energy) }
        #expect(throws: Quantity.ParseError.notFinite("nan meV")) { try Quantity("nan meV", as: .energy) }
    }
}
