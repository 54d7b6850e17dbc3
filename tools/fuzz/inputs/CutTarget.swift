import Interchange

/// Cuts as text: valid ones, damaged by bytes and by words. What is read is written and read to the same.
struct CutTarget: FuzzTarget {
    static let name = "cut"

    private static let seeds = [
        "h k l E intensity error\n0.5 0 1 10 2.5 0.25\n1 0 1 10 nan 0\n",
        "# Ei in meV\n# Ei,h,k,l,E,intensity,error\n25,0.5,0,1,10,2.5,0.25\n25;1;0;1;10;3;0.5 # here\n",
        "### Columns: [H,0,0] [0,K,0] DeltaE Intensity Error\n### Shape: 1x1x1\n0.5 0 10 2.5 0.25\n",
        "\u{FEFF}qh\tqk\ten\tsignal\ttemperature\r\n-1e-3\t+2\t.5\t7e300\t5\r\n",
    ]

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var text = Array(random.one(of: Self.seeds).utf8)
        for _ in 0..<random.below(4) {
            if random.once(in: 2) {
                ByteMutations.damage(&text, &random)
            } else {
                TextMutations.damage(&text, &random)
            }
        }
        return text
    }

    func check(_ input: [UInt8]) throws {
        var finding: String?
        do throws(InterchangeError) {
            let cut = try CutTable(parsing: String(decoding: input, as: UTF8.self), file: "fuzz.dat")
            let known = cut.columns.indices.filter { cut.columns[$0] != nil }
            let plain = CutTable(
                columns: known.compactMap { cut.columns[$0] }, rows: cut.rows.map { row in known.map { row[$0] } })
            let again = try CutTable(parsing: plain.encoded(), file: "again.dat")
            let (before, after) = (plain.rows.joined(), again.rows.joined())
            let isSame = before.elementsEqual(after) { $0 == $1 || ($0.isNaN && $1.isNaN) }
            if !isSame || again.columns != plain.columns { finding = "written and read back to something else" }
        } catch {
            if error.file == "again.dat" { finding = "what was written is refused: \(error)" }
            if error.message.isEmpty { finding = "refused without a word" }
        }
        if let finding { throw Finding(finding) }
    }
}
