import Testing

@testable import Interchange

@Suite("Cuts as text")
struct CutTableTests {
    private func refusal(_ text: String) -> String {
        message { () throws(InterchangeError) in _ = try CutTable(parsing: text, file: "c.dat") }
    }

    @Test(
        "headings in any order and spelling, as a line or as a comment",
        arguments: [
            "h k l E intensity error\n0.5 0 1 10 2.5 0.25\n",
            "# a cut\n# meV\nerror,Intensity,energy,QL,qk,QH\n0.25,2.5,10,1,0,0.5\n",
            "### Columns: [H,0,0] [0,K,0] [0,0,L] DeltaE Intensity Error\n### Shape: 1x1x1x1\n0.5 0 1 10 2.5 0.25\n",
            "# h k l E I sigma\n0.5 0 1 10 2.5 0.25 # the only one\n",
            "#h,k,l,en,signal,err\n0.5,0,1,10,2.5,0.25\n",
            "temperature h k l E intensity error\n5 0.5 0 1 10 2.5 0.25\n",
        ])
    func headings(text: String) throws {
        let cut = try CutTable(parsing: text, file: "c.dat")
        let expected: [CutTable.Column: Double] = [
            .h: 0.5, .k: 0, .l: 1, .energy: 10, .intensity: 2.5, .error: 0.25,
        ]
        for (column, value) in expected { #expect(cut.rows[0][try #require(cut.place(of: column))] == value) }
        #expect(cut.place(of: .incidentEnergy) == nil)
    }

    @Test("what is written is read back to the bit")
    func roundTrip() throws {
        let rows = [[0.1, 1.0 / 3, -2, 1e-300, .nan, 0], [0.2, 0.3, 0.4, 5, -6e22, 0.7]]
        let cut = CutTable(columns: [.h, .k, .l, .energy, .intensity, .error], rows: rows)
        let text = cut.encoded(comments: ["two points"])
        #expect(text.hasPrefix("# two points\nh k l E intensity error\n0.1 0.3333333333333333 -2.0 1e-300 nan 0.0\n"))
        let read = try CutTable(parsing: text, file: "c.dat")
        #expect(read.columns == cut.columns && read.lines == [3, 4])
        #expect(read.rows.map { $0.map(\.bitPattern) } == rows.map { $0.map(\.bitPattern) })
    }

    @Test("errors have line and column")
    func errors() {
        #expect(
            refusal("h k l E intensity error\n0 0 0 1 2 3\n0 0 0 1 two 3\n0 0 0 1 2\n") == """
                c.dat:3:9: error: 'two' is not a number
                  hint: one row a line, decimal point '.', '#' for comments
                c.dat:4:1: error: this row has 5 cells where 6 are expected
                """)
        #expect(
            refusal("h k l E intensity error\n\n0 0 inf 1 2 3\n0 0 0 1 2 -3\n") == """
                c.dat:3:1: error: l is inf in column 3 of the table
                  hint: leave the row out, or give nan as intensity where nothing was measured
                c.dat:4:1: error: error is -3.0 in column 6 of the table
                  hint: leave the row out, or give nan as intensity where nothing was measured
                """)
        #expect(
            refusal("0 0 0 1 2 3\n") == """
                c.dat:1:1: error: no heading names the columns
                  hint: begin the file with a line such as: h k l E intensity error
                """)
        #expect(
            refusal("h k l E weight\n0 0 0 1 2\n") == """
                c.dat: no column is called 'intensity': found h, k, l, E, weight
                  hint: name the columns h, k, l, E, intensity, error (and Ei)
                """)
        #expect(refusal("h qh E intensity\n0 0 0 1\n") == "c.dat: the column 'h' stands twice")
        #expect(refusal("h k l E intensity\n") == "c.dat: the cut has no rows")
    }
}
