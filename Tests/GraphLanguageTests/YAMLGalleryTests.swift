import Testing

/// Texts that are no YAML: each with the message that a user reads.
@Suite struct YAMLGalleryTests {
    @Test("empty file")
    func empty() {
        let graph = ""
        let expected = """
            test.yaml:1:1: error: the file is empty
                1 | 
                  | ^
              hint: a graph file has at least 'nodes:' with one node

            """
        #expect(problems(graph) == expected)
    }

    @Test("comments alone")
    func commentsOnly() {
        let graph = """
            # nothing


            """
        let expected = """
            test.yaml:1:1: error: the file is empty
                1 | # nothing
                  | ^
              hint: a graph file has at least 'nodes:' with one node

            """
        #expect(problems(graph) == expected)
    }

    @Test("a tab in the indentation")
    func tab() {
        let graph = """
            nodes:
            \ta: {stage: x}

            """
        let expected = """
            test.yaml:2:1: error: a tab in the indentation
                2 | \ta: {stage: x}
                  | ^
              hint: YAML is indented with spaces alone

            """
        #expect(problems(graph) == expected)
    }

    @Test("a tab behind blanks")
    func tabLater() {
        let graph = """
            nodes:
              a:
                stage: x
              \tcount: 3

            """
        let expected = """
            test.yaml:4:3: error: a tab in the indentation
                4 |   \tcount: 3
                  |   ^
              hint: YAML is indented with spaces alone

            """
        #expect(problems(graph) == expected)
    }

    @Test("a line indented too far")
    func badIndent() {
        let graph = """
            nodes:
              a:
                stage: x
                  count: 3

            """
        let expected = """
            test.yaml:4:12: error: a ':' that cannot stand here
                4 |       count: 3
                  |            ^
              hint: indent this line like the one above it, or put a value that holds ': ' in quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("a line that fits no block")
    func badOutdent() {
        let graph = """
            nodes:
                a: {stage: x}
              b: {stage: x}

            """
        let expected = """
            test.yaml:3:3: error: this does not fit the lines above it
                3 |   b: {stage: x}
                  |   ^
              hint: indent it like the block that begins on line 1

            """
        #expect(problems(graph) == expected)
    }

    @Test("a second colon")
    func colon() {
        let graph = """
            nodes:
              a: {stage: x}
            about: spin waves: a tale

            """
        let expected = """
            test.yaml:3:18: error: a ':' that cannot stand here
                3 | about: spin waves: a tale
                  |                  ^
              hint: indent this line like the one above it, or put a value that holds ': ' in quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("a name without colon")
    func noColon() {
        let graph = """
            nodes:
              a:
                stage: x
                count
              b: {stage: y}

            """
        let expected = """
            test.yaml:4:5: error: a name without ':' and a value
                4 |     count
                  |     ^
              hint: write 'name: value'

            """
        #expect(problems(graph) == expected)
    }

    @Test("a brace never closed")
    func unclosedBrace() {
        let graph = """
            nodes:
              a: {stage: x, grid: [1, 2}
              b: {stage: y}

            """
        let expected = """
            test.yaml:2:28: error: expected ',' or ']'
                2 |   a: {stage: x, grid: [1, 2}
                  |                            ^
              hint: the '[' on line 2, column 23 is not closed before this

            """
        #expect(problems(graph) == expected)
    }

    @Test("a quotation never closed")
    func unclosedQuote() {
        let graph = """
            about: "spin waves
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:1:8: error: a quotation mark that is never closed
                1 | about: "spin waves
                  |        ^
              hint: end the text with the same mark

            """
        #expect(problems(graph) == expected)
    }

    @Test("a value that begins with a star")
    func star() {
        let graph = """
            nodes:
              a: {stage: x, path: *.npy}

            """
        let expected = """
            test.yaml:2:23: error: a value cannot begin with '*' or '&'
                2 |   a: {stage: x, path: *.npy}
                  |                       ^
              hint: put it in quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("an alias of nothing")
    func alias() {
        let graph = """
            nodes:
              a: {stage: x, grid: *grid}

            """
        let expected = """
            test.yaml:2:23: error: no value above is named '&grid'
                2 |   a: {stage: x, grid: *grid}
                  |                       ^~~~~
              hint: '*name' repeats the value that '&name' marks; put a text that begins with '*' in quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("a value that begins with @")
    func at() {
        let graph = """
            nodes:
              a: {stage: x, image: @b}

            """
        let expected = """
            test.yaml:2:24: error: a value cannot begin with '@'
                2 |   a: {stage: x, image: @b}
                  |                        ^
              hint: put it in quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("an unknown escape")
    func escape() {
        let graph = """
            about: "C:\\data"
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:1:11: error: an escape that YAML does not know
                1 | about: "C:\\data"
                  |           ^
              hint: in double quotation marks write '\\\\' for a backslash, or use single quotation marks

            """
        #expect(problems(graph) == expected)
    }

    @Test("two documents")
    func second() {
        let graph = """
            nodes:
              a: {stage: x}
            ---
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:3:1: error: a second document begins here
                3 | ---
                  | ^
              hint: keep one document a file and remove the '---'

            """
        #expect(problems(graph) == expected)
    }

    @Test("a control character")
    func control() {
        let graph = """
            about: a\u{7}b
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:1:9: error: a character that YAML does not allow (U+0007)
                1 | about: a\u{7}b
                  |         ^
              hint: remove it

            """
        #expect(problems(graph) == expected)
    }

    @Test("a list item behind a key")
    func listAfterKey() {
        let graph = """
            nodes:
              a: {stage: x}
            about: - b

            """
        let expected = """
            test.yaml:3:8: error: a list item '-' cannot stand here
                3 | about: - b
                  |        ^
              hint: begin the list on a line of its own

            """
        #expect(problems(graph) == expected)
    }

    @Test("duplicate keys, all of them")
    func duplicates() {
        let graph = """
            seed: 1
            seed: 2
            nodes:
              a: {stage: x}
              b: {stage: x, n: 1, "n": 2}
              a: {stage: y}
              a: {stage: z}

            """
        let expected = """
            test.yaml:2:1: error: 'seed' stands twice in one mapping; first on line 1
                2 | seed: 2
                  | ^~~~
              hint: remove or rename one of them
            test.yaml:5:23: error: 'n' stands twice in one mapping; first on line 5
                5 |   b: {stage: x, n: 1, "n": 2}
                  |                       ^~~
              hint: remove or rename one of them
            test.yaml:6:3: error: 'a' stands twice in one mapping; first on line 4
                6 |   a: {stage: y}
                  |   ^
              hint: remove or rename one of them
            test.yaml:7:3: error: 'a' stands twice in one mapping; first on line 4
                7 |   a: {stage: z}
                  |   ^
              hint: remove or rename one of them

            """
        #expect(problems(graph) == expected)
    }

    @Test("a list for a key")
    func complexKey() {
        let graph = """
            nodes:
              ? [a, b]
              : {stage: x}

            """
        let expected = """
            test.yaml:2:5: error: a key must be a name, not a list or a mapping
                2 |   ? [a, b]
                  |     ^

            """
        #expect(problems(graph) == expected)
    }

    @Test("a merge of a number")
    func badMerge() {
        let graph = """
            nodes:
              a: {stage: x, <<: 3}

            """
        let expected = """
            test.yaml:2:17: error: '<<' merges a mapping or a list of mappings
                2 |   a: {stage: x, <<: 3}
                  |                 ^~
              hint: write '<<: *name' where '&name' stands before a mapping

            """
        #expect(problems(graph) == expected)
    }
}
