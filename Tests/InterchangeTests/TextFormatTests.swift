import Artifacts
import Tensors
import Testing

@testable import Interchange

@Suite("CSV and JSON")
struct TextFormatTests {
    @Test("cells are quoted as RFC 4180 says, numbers are the shortest exact decimals")
    func table() throws {
        let text = try CSV.encode(columns: [
            CSV.Column("name", ["a,b", "say \"hi\"", "plain"]), CSV.Column("energy (meV)", [0.1, .nan, -.infinity]),
            CSV.Column("n", [1, 2, 3]),
        ])
        #expect(text == "name,energy (meV),n\n\"a,b\",0.1,1\n\"say \"\"hi\"\"\",nan,2\nplain,-inf,3\n")
        #expect(
            message { () throws(InterchangeError) in
                _ = try CSV.encode(columns: [CSV.Column("a", [1]), CSV.Column("b", [1, 2])], name: "t.csv")
            } == "t.csv: column 'b' has 2 rows where 'a' has 1")
    }

    @Test("matrices and vectors; single precision keeps its own shortest form; other ranks are refused")
    func arrays() throws {
        #expect(try CSV.encode(.float32(Tensor(shape: [1, 2], elements: [0.1, 2]))) == "0.1,2.0\n")
        #expect(try CSV.encode(.int64(Tensor(shape: [2], elements: [.min, 3]))) == "-9223372036854775808\n3\n")
        #expect(
            message { () throws(InterchangeError) in
                _ = try CSV.encode(.uint8(Tensor(shape: [1, 1, 1], elements: [0])), name: "t.csv")
            } == """
                t.csv: a .csv file holds one or two dimensions; this array has shape [1, 1, 1]
                  hint: write it as .npy, which keeps any shape
                """)
    }

    @Test(
        "a list of Q is read with any separator, with comments, with and without a heading",
        arguments: [
            "h,k,l\n0.5,0,1\n1,1,-2e0\n", "h k l\n0.5 0 1 # zone boundary\n\n1\t1   -2",
            "# nothing\n0.5; 0; 1\n1; 1; -2",
            "\u{FEFF}l , h, k , \"extra\"\r\n1,0.5,0,9\r\n-2,1,1,9\r\n", "H K L\n.5 +0 1\n1 1 -2",
        ])
    func numericTable(text: String) throws {
        let table = try NumericTable(parsing: text, file: "Q.csv")
        #expect(try table.columns(["h", "k", "l"], file: "Q.csv") == [[0.5, 0, 1], [1, 1, -2]])
    }

    @Test("every bad cell and row is reported with line and column")
    func badCells() {
        let text = message { () throws(InterchangeError) in
            _ = try NumericTable(parsing: "h,k,l\n1,2,3\n1,two,3\n# ok\n4,5\n1,,3\n", file: "Q.csv")
        }
        #expect(
            text == """
                Q.csv:3:3: error: 'two' is not a number
                  hint: one row a line, decimal point '.', '#' for comments
                Q.csv:5:1: error: this row has 2 cells where 3 are expected
                Q.csv:6:3: error: '' is not a number
                """)
    }

    @Test("a misspelt column is suggested")
    func columns() throws {
        let table = try NumericTable(parsing: "hh,k,l\n1,2,3\n", file: "Q.csv")
        #expect(
            message { () throws(InterchangeError) in _ = try table.columns(["h", "k", "l"], file: "Q.csv") }
                == "Q.csv: no column is called 'h'\n  hint: did you mean 'hh'?")
        let bare = try NumericTable(parsing: "1,2\n", file: "Q.csv")
        #expect(
            message { () throws(InterchangeError) in _ = try bare.columns(["h", "k", "l"], file: "Q.csv") }
                .contains("2 columns without names where h, k, l are expected"))
    }

    @Test("an artifact as JSON: sorted keys, tensors with type and shape, no bare NaN")
    func json() {
        let value = Value.record([
            "b": .list([.int(-3), .double(0.1), .double(.nan), .none]), "a": .string("tab\t\"q\" <Å>"),
            "image": .tensor(.float32(Tensor(shape: [1, 2], elements: [0.1, -.infinity]))), "z": .record([:]),
            "raw": .bytes([0, 255, 16, 4]), "flag": .bool(true),
        ])
        #expect(
            ValueJSON.encode(value) == """
                {
                  "a": "tab\\t\\"q\\" <Å>",
                  "b": [
                    -3,
                    0.1,
                    "NaN",
                    null
                  ],
                  "flag": true,
                  "image": {
                    "data": [0.1,"-Infinity"],
                    "dtype": "float32",
                    "shape": [1,2]
                  },
                  "raw": {"base64": "AP8QBA=="},
                  "z": {}
                }

                """)
        #expect(ValueJSON.encode(.record(["a": .list([.int(1), .int(2)])]), pretty: false) == #"{"a":[1,2]}"#)
    }

    @Test("base64 as in RFC 4648, section 10")
    func base64() {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "foobar": "Zm9vYmFy"]
        for (plain, encoded) in vectors { #expect(Base64.encode(Array(plain.utf8)) == encoded) }
    }
}
