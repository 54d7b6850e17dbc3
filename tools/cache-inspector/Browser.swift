import Artifacts
import CacheStore
import Foundation

/// The full-screen view without a screen: which page is open, what it lists, and what a key does to it.
///
/// Runs → nodes → steps → one step with its picture → its lineage: each page lies on the one that it was opened from.
struct Browser {
    /// What lies behind a row.
    enum Target: Equatable {
        case run(String)
        /// All that the store remembers, whatever the run.
        case everything
        case node(graph: String, node: String)
        case step(Digest)
    }

    struct Row: Equatable {
        var text: String
        var target: Target?
    }

    struct Page {
        var title: String
        /// Stands over the rows and does not scroll.
        var header: String?
        var rows: [Row]
        /// Its place among the rows that pass the filter.
        var selection = 0
        /// The first row on the screen.
        var top = 0
        var filter = ""
        /// Of a step's page.
        var step: StepView?

        /// Whether rows are chosen from, rather than read.
        var isList: Bool { rows.contains { $0.target != nil } }

        var visible: [Row] {
            filter.isEmpty ? rows : rows.filter { $0.text.localizedCaseInsensitiveContains(filter) }
        }
    }

    /// What a step's page shows beside its text.
    struct StepView {
        var key: Digest
        var arrays: [ArrayPreview] = []
        /// Which of the arrays is pictured.
        var array = 0
    }

    private(set) var pages: [Page]
    private(set) var isTypingFilter = false
    private(set) var hasQuit = false
    /// Said once in the line above the keys.
    private(set) var message = ""
    /// Rows that the screen has room for, for paging; set by `screen(width:height:)`.
    var bodyHeight = 20
    private var data: BrowserData

    init(_ data: BrowserData) {
        self.data = data
        pages = [data.runsPage()]
    }

    var page: Page { pages[pages.count - 1] }

    private mutating func edit(_ change: (inout Page) -> Void) { change(&pages[pages.count - 1]) }

    // MARK: Keys

    mutating func handle(_ key: Key) {
        message = ""
        if isTypingFilter { return handleWhileTyping(key) }
        switch key {
        case .character("q"), .interrupt: hasQuit = true
        case .up, .character("k"): move(by: -1)
        case .down, .character("j"): move(by: 1)
        case .pageUp: move(by: -bodyHeight)
        case .pageDown, .character(" "): move(by: bodyHeight)
        case .home, .character("g"): move(by: -page.visible.count)
        case .end, .character("G"): move(by: page.visible.count)
        case .enter, .right, .character("l"): open()
        case .left, .backspace, .character("h"): back()
        case .escape: page.filter.isEmpty ? back() : edit { ($0.filter, $0.selection, $0.top) = ("", 0, 0) }
        case .character("/"): isTypingFilter = true
        case .character("t"): openLineage()
        case .tab: nextArray()
        case .character("["), .character("]"): changeLayer(by: key == .character("]") ? 1 : -1)
        case .character("r"): reload()
        default: break
        }
    }

    private mutating func handleWhileTyping(_ key: Key) {
        switch key {
        case .enter: isTypingFilter = false
        case .escape, .interrupt:
            isTypingFilter = false
            edit { ($0.filter, $0.selection, $0.top) = ("", 0, 0) }
        case .backspace: edit { ($0.filter, $0.selection, $0.top) = (String($0.filter.dropLast()), 0, 0) }
        case .character(let character):
            edit { ($0.filter, $0.selection, $0.top) = ($0.filter + String(character), 0, 0) }
        case .up: move(by: -1)
        case .down: move(by: 1)
        default: break
        }
    }

    private mutating func move(by rows: Int) {
        let height = bodyHeight
        edit { page in
            let count = page.visible.count
            if page.isList {
                page.selection = max(0, min(count - 1, page.selection + rows))
                page.top = min(page.top, page.selection)
                page.top = max(page.top, page.selection - height + 1)
            } else {
                page.top = max(0, min(count - height, page.top + rows))
            }
        }
    }

    private mutating func back() {
        if pages.count > 1 { pages.removeLast() } else { message = "this is the first page: q quits" }
    }

    private mutating func open() {
        let rows = page.visible
        guard rows.indices.contains(page.selection), let target = rows[page.selection].target else { return }
        attempt { data in try data.page(for: target) }
    }

    private mutating func openLineage() {
        var key = page.step?.key
        let rows = page.visible
        if key == nil, rows.indices.contains(page.selection), case .step(let chosen)? = rows[page.selection].target {
            key = chosen
        }
        guard let key else {
            message = "choose a step first"
            return
        }
        attempt { data in try data.lineagePage(of: key) }
    }

    private mutating func attempt(_ make: (BrowserData) throws -> Page) {
        do {
            pages.append(try make(data))
        } catch {
            message = Screen.printable("\(error)")
        }
    }

    private mutating func nextArray() {
        edit { page in
            guard let step = page.step, step.arrays.count > 1 else { return }
            page.step?.array = (step.array + 1) % step.arrays.count
        }
    }

    private mutating func changeLayer(by change: Int) {
        guard let step = page.step, step.arrays.indices.contains(step.array) else { return }
        let current = step.arrays[step.array]
        let layer = current.layer + change
        guard (0..<current.layers).contains(layer) else {
            message = current.layers == 1 ? "this array has one layer" : "there is no layer \(layer)"
            return
        }
        do {
            if let next = try data.preview(of: step.key, path: current.path, layer: layer) {
                edit { $0.step?.arrays[step.array] = next }
            }
        } catch {
            message = Screen.printable("\(error)")
        }
    }

    /// Reads the store again, and begins with the first page.
    private mutating func reload() {
        do {
            data = try data.reread()
            pages = [data.runsPage()]
            message = "read again"
        } catch {
            message = Screen.printable("\(error)")
        }
    }
}
