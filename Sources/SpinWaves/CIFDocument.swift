import CGemmi

/// The text of a CIF file (S. R. Hall, F. H. Allen and I. D. Brown, Acta Cryst. A47 (1991) 655) as blocks of tags and values.
///
/// Syntax is read by the Gemmi library (M. Wojdyr, J. Open Source Softw. 7 (2022) 4200); all use of it is in this file.
struct CIFDocument {
    /// A loop, or a single tag with its value.
    struct Item {
        /// Of the tag, or of the word `loop_`; from 1.
        var line: Int
        /// In lower case, with `.` written `_`: `_atom_site_moment_label`.
        var tags: [String]
        /// Without quotes; empty for `?` and `.`.
        var rows: [[String]]
    }

    struct Block {
        var name: String
        var items: [Item]

        /// The first item that has this tag, and the tag's column.
        func column(_ tag: String) -> (item: Item, index: Int)? {
            for item in items {
                if let index = item.tags.firstIndex(of: tag) { return (item, index) }
            }
            return nil
        }

        /// The values of the first of these tags that is there.
        func values(_ tags: String...) -> (values: [String], line: Int)? {
            for tag in tags {
                if let (item, index) = column(tag) { return (item.rows.map { $0[index] }, item.line) }
            }
            return nil
        }
    }

    var blocks: [Block]

    /// - Throws: `.file` with the parser's words and its line.
    init(_ text: String) throws(CrystalError) {
        var message = [CChar](repeating: 0, count: 400)
        var line = 0
        var bytes = text
        let parsed = bytes.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                spinweave_cif_parse($0.baseAddress, $0.count, &message, message.count, &line)
            }
        }
        guard let parsed else {
            var words = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // Of tags that stand twice the library writes the place into its words: `cif:7 in data_x: …`.
            if line == 0, words.hasPrefix("cif:"), let number = Int(words.dropFirst(4).prefix { $0.isNumber }) {
                line = number
                if let colon = words.firstRange(of: ": ") { words = String(words[colon.upperBound...]) }
            }
            throw .file(
                "this is no CIF file: \(words.isEmpty ? "it cannot be parsed" : words)", line: line > 0 ? line : nil)
        }
        defer { spinweave_cif_free(parsed) }
        blocks = (0..<spinweave_cif_blocks(parsed)).map { b in
            Block(
                name: String(cString: spinweave_cif_block_name(parsed, b)),
                items: (0..<spinweave_cif_items(parsed, b)).map { i in
                    let tags = spinweave_cif_tags(parsed, b, i)
                    return Item(
                        line: spinweave_cif_line(parsed, b, i),
                        tags: (0..<tags).map {
                            String(cString: spinweave_cif_tag(parsed, b, i, $0)).lowercased().replacing(".", with: "_")
                        },
                        rows: (0..<spinweave_cif_rows(parsed, b, i)).map { row in
                            (0..<tags).map { String(cString: spinweave_cif_value(parsed, b, i, row, $0)) }
                        })
                })
        }
    }
}
