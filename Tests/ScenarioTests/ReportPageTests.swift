import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("report")
struct ReportPageTests {
    @Test("one self-contained, well-formed page with every section")
    func page() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(["report", QuickGraph.file, "-o", "page.html"] + QuickGraph.options())
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == "report: page.html\n")
        let page = try workplace.text(of: "page.html")
        #expect(page.hasPrefix("<!DOCTYPE html>") || page.hasPrefix("<!doctype html>"))
        let headings = page.matches(of: /<h2[^>]*>(.*?)<\/h2>/).map { String($0.output.1) }
        let wanted = ["Verdict", "Measurement", "Why", "Training", "Held-out", "Sampling", "What ran"]
        for word in wanted {
            #expect(headings.contains { $0.localizedCaseInsensitiveContains(word) }, "\(word): \(headings)")
        }
        for text in [
            "Conformal sets, calibrated on 8 held-out", "what the networks see", "without 50 meV",
            "Coverage of conformal sets",
        ] {
            #expect(page.contains(text), "\(text)")
        }
        // Nothing is loaded from elsewhere: every address is inside the page.
        for match in page.matches(of: /(?:src|href)\s*=\s*"([^"]*)"/) {
            #expect(match.output.1.hasPrefix("data:") || match.output.1.hasPrefix("#"), "\(match.output.1.prefix(80))")
        }
        #expect(page.firstMatch(of: /url\(\s*['"]?https?:/) == nil)
        #expect(page.firstMatch(of: /@import|<script[^>]+src/) == nil)
        // The maps of all methods, and whether they may be trusted.
        for words in [
            "Grad-CAM++ for", "SmoothGrad for", "Occlusion for", "Sanity checks.", "Left by untrained weights",
        ] {
            #expect(page.contains(words), "\(words)")
        }
        // Pictures: drawn charts, and images as data.
        #expect(page.matches(of: /<svg/).count >= 5)
        #expect(page.contains("data:image/png;base64,"))
    }

    @Test("the page is well-formed: every element that is opened is closed, in order")
    func wellFormed() throws {
        let workplace = try QuickGraph.workplace()
        try workplace.spinweave(["report", QuickGraph.file, "-o", "page.html"] + QuickGraph.options())
        let page = try workplace.text(of: "page.html")
        let void: Set<String> = ["meta", "link", "img", "br", "hr", "input", "col", "area", "base", "source", "wbr"]
        var open: [String] = []
        let body = page.replacing(/<!--.*?-->|(?s)<style.*?<\/style>|(?s)<script.*?<\/script>/, with: "")
        for match in body.matches(of: /<(\/?)([a-zA-Z][a-zA-Z0-9-]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/) {
            let name = match.output.2.lowercased()
            if void.contains(name) || match.output.3.hasSuffix("/") { continue }
            if match.output.1.isEmpty {
                open.append(name)
            } else {
                let last = open.popLast()
                #expect(last == name)
                if last != name { return }
            }
        }
        #expect(open.isEmpty)
    }

    @Test("without results, the page says what to do")
    func empty() throws {
        let workplace = try Workplace()
        // Planning makes the store.
        try workplace.spinweave(["plan", QuickGraph.file] + QuickGraph.options())
        let outcome = try workplace.spinweave(["report", QuickGraph.file] + QuickGraph.options())
        #expect(outcome.status == 0)
        #expect(try workplace.text(of: "report.html").contains("Run it first: spinweave run graphs/pcsmo-quick.yaml"))
    }

    @Test("a page that cannot be written")
    func unwritable() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(["report", QuickGraph.file, "-o", "no/page.html"] + QuickGraph.options())
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == """
                error: no/page.html: cannot create: No such file or directory
                  hint: check the path; the folder 'no' must exist

                """)
        let folder = try workplace.spinweave(["report", QuickGraph.file, "-o", "graphs"] + QuickGraph.options())
        #expect(folder.status == 1)
        #expect(
            folder.errors
                == "error: graphs: cannot write: Is a directory\n  hint: a folder of this name stands in the way\n")
    }
}
