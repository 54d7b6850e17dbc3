import CacheStore
import Testing

@testable import CacheInspector

@Suite("The full-screen view")
struct BrowserTests {
    private func browser(_ small: SmallStore) throws -> Browser {
        Browser(try BrowserData(small.store, now: SmallStore.now))
    }

    /// The screen at 80 × 24 less the title, whose path differs from test to test.
    private func body(_ browser: Browser) -> [String] {
        browser.screen(width: 80, height: 24).text.split(separator: "\n", omittingEmptySubsequences: false)
            .dropFirst().map(String.init)
    }

    @Test("runs, nodes, steps, one step, and back")
    func walk() throws {
        let small = try SmallStore()
        var browser = try browser(small)
        var lines = body(browser)
        #expect(lines.count == 23)
        #expect(lines[0] == "  RUN                GRAPH  OUTCOME  STEPS                 AGE")
        #expect(lines[1] == "> everything                         10 records")
        #expect(lines[2] == "  20270115T080000-1  small  done     9 computed, 0 reused  2 min")
        #expect(lines[21] == "1 of 2")
        #expect(lines[22] == "↑↓ choose   Enter open   t lineage   / filter   r read again   ← back   q quit")

        browser.handle(.down)
        browser.handle(.enter)
        lines = body(browser)
        #expect(lines[1].hasPrefix("> noise@a       small  add-noise"))
        #expect(lines[3].hasPrefix("  spectra@a     small  spin-waves"))

        browser.handle(.enter)
        lines = body(browser)
        #expect(lines[1].hasPrefix("> noise@a#0"))
        #expect(lines[4].hasPrefix("  noise@a#3  failed"))

        browser.handle(.enter)
        lines = body(browser)
        #expect(lines[0] == "machine   x86-64")
        #expect(lines[2].hasPrefix("computed  2027-01-15"))
        #expect(lines[7].hasPrefix("── images [12, 20], array 1 of 1 ──"))
        // 12 × 20 numbers, twice enlarged: 12 lines of 40 half blocks.
        #expect(lines[8...19].allSatisfy { $0 == String(repeating: "▀", count: 40) })

        browser.handle(.character("t"))
        lines = body(browser)
        #expect(lines[0].hasPrefix("noise@a#0  add-noise 2 · seed 11"))
        for _ in 0..<4 { browser.handle(.left) }
        #expect(browser.pages.count == 1)
        browser.handle(.left)
        #expect(body(browser)[21] == "this is the first page: q quits")
        browser.handle(.character("q"))
        #expect(browser.hasQuit)
    }

    @Test("a filter narrows the rows, and Escape takes it away before it goes back")
    func filter() throws {
        let small = try SmallStore()
        var browser = try browser(small)
        browser.handle(.enter)
        for key in "/spec" { browser.handle(.character(key)) }
        #expect(body(browser)[1].hasPrefix("> spectra@a"))
        #expect(body(browser)[21] == "/spec_")
        browser.handle(.enter)
        browser.handle(.enter)
        #expect(browser.page.title.hasSuffix("spectra@a of small"))
        browser.handle(.escape)
        #expect(browser.page.filter == "spec")
        browser.handle(.escape)
        #expect(browser.page.filter == "" && browser.pages.count == 2)
        for key in "/zzz" { browser.handle(.character(key)) }
        #expect(body(browser)[1] == "  nothing here matches 'zzz'")
        browser.handle(.enter)
        // Nothing to open: nothing happens.
        browser.handle(.enter)
        #expect(browser.pages.count == 2)
    }

    @Test("a failed step shows its message, and nothing that a terminal would act on")
    func failure() throws {
        let small = try SmallStore()
        var browser = try browser(small)
        browser.handle(.enter)
        browser.handle(.enter)
        browser.handle(.end)
        browser.handle(.enter)
        let text = browser.screen(width: 80, height: 24).text
        #expect(text.contains("failed    no  [31mminimum found"))
        #expect(!text.contains("\u{1B}"))
    }

    @Test(
        "every page keeps to the screen, whatever its size", arguments: [(80, 24), (20, 5), (200, 60), (1, 1), (40, 3)])
    func sizes(width: Int, height: Int) throws {
        let small = try SmallStore()
        var browser = try browser(small)
        for key in [Key.enter, .enter, .pageDown, .home, .enter, .end, .tab, .character("]"), .character("t"), .end] {
            browser.bodyHeight = Browser.scrollHeight(of: browser.page, height: height)
            browser.handle(key)
            let screen = browser.screen(width: width, height: height)
            #expect(screen.lines.count <= height)
            #expect(screen.lines.allSatisfy { $0.text.count <= width }, "\(key)")
        }
    }

    @Test("bytes become keys, also when a sequence comes in parts")
    func decoding() {
        var decoder = KeyDecoder()
        #expect(
            decoder.keys(from: Array("a\u{1B}[A\u{1B}OB\u{1B}[6~".utf8)) == [.character("a"), .up, .down, .pageDown])
        #expect(decoder.keys(from: [0x1B]) == [] && decoder.isWaiting)
        #expect(decoder.keys(from: Array("[1;5".utf8)) == [])
        #expect(decoder.keys(from: Array("C".utf8)) == [.right])
        #expect(decoder.keys(from: [0x1B]) == [])
        #expect(decoder.flush() == [.escape] && !decoder.isWaiting)
        #expect(decoder.keys(from: [0xC3]) == [])
        #expect(decoder.keys(from: [0xA4, 0x03, 0x0D, 0x7F]) == [.character("ä"), .interrupt, .enter, .backspace])
        // Bytes that are no text are passed over.
        #expect(decoder.keys(from: [0xFF, 0xFE, 0x80, UInt8(ascii: "x")]) == [.character("x")])
    }
}
