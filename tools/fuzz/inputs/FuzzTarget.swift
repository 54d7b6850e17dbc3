/// A part of the program that reads what others wrote, and inputs for it.
///
/// An input is named by seed and number: the same name gives the same bytes on every machine.
package protocol FuzzTarget {
    static var name: String { get }
    init() throws
    /// Input `number`.
    func input(_ random: inout FuzzRandom) -> [UInt8]
    /// Gives the input to the program. It may refuse it with its own errors; whatever else it throws is a finding, as
    /// is a crash or a hang.
    func check(_ input: [UInt8]) throws
}

/// What an input gave that it should not.
package struct Finding: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// SplitMix64: small, fast, and the same everywhere.
package struct FuzzRandom: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: Int, target: String, number: Int) {
        state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15
        for byte in target.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        state ^= UInt64(bitPattern: Int64(number)) &* 0xD1B5_4A32_D192_ED03
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }

    package mutating func one<T>(of choices: [T]) -> T { choices[below(choices.count)] }

    /// True once in `n` times.
    package mutating func once(in n: Int) -> Bool { below(n) == 0 }
}

package enum Fuzz {
    package static var targets: [any FuzzTarget.Type] {
        [
            GraphTarget.self, InstrumentTarget.self, ArrayFileTarget.self, HDF5Target.self, CutTarget.self,
            SafetensorsTarget.self, ValueTarget.self, BlobTarget.self,
        ]
    }

    /// Checks `numbers` one after the other; `progress` is told each number before it is tried.
    package static func run(
        _ type: any FuzzTarget.Type, seed: Int, numbers: Range<Int>, progress: (Int) -> Void = { _ in }
    ) throws {
        let target = try type.init()
        for number in numbers {
            progress(number)
            var random = FuzzRandom(seed: seed, target: type.name, number: number)
            let input = target.input(&random)
            do {
                try target.check(input)
            } catch {
                throw Finding("\(type.name) \(seed)/\(number): \(error)")
            }
        }
    }

    /// The bytes of one input.
    package static func input(_ type: any FuzzTarget.Type, seed: Int, number: Int) throws -> [UInt8] {
        var random = FuzzRandom(seed: seed, target: type.name, number: number)
        return try type.init().input(&random)
    }
}
