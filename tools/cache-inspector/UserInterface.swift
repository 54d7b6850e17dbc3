import ArgumentParser
import CacheStore
import Foundation

/// `spinweave-cache ui`
struct UserInterface: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ui", abstract: "Walks through runs, nodes, samples and artifacts on the whole terminal.",
        discussion: """
            From a run (or everything) to its nodes, to the samples of one, to one step with a picture of its array, and \
            to its lineage. Nothing is changed, and a run in progress is not disturbed.

            KEYS
              arrows or h j k l   move, open, go back; Page Up, Page Down, Home, End
              Enter               open
              t                   lineage of a step
              Tab, [ and ]        next array of a step; its layers
              /                   filter the lines; Esc clears the filter
              r                   read the store again
              q or Ctrl-C         quit
            """)

    @OptionGroup var options: StoreOptions

    func run() throws {
        try options.withStore(.readOnly) { store in
            var browser = Browser(try BrowserData(store, now: Date().timeIntervalSince1970))
            guard Terminal.enter() else {
                options.say("error: the full-screen view needs a terminal")
                options.say("  hint: 'spinweave-cache ls' and 'show' answer in lines")
                throw ExitCode(64)
            }
            defer { Terminal.leave() }
            var decoder = KeyDecoder()
            while !browser.hasQuit {
                let (height, width) = Terminal.size
                browser.bodyHeight = Browser.scrollHeight(of: browser.page, height: height)
                Terminal.draw(browser.screen(width: width, height: height))
                // An escape that nothing follows within 50 ms is the key of that name.
                guard let bytes = Terminal.read(waiting: decoder.isWaiting ? 50 : 1000) else { return }
                let keys = bytes.isEmpty && decoder.isWaiting ? decoder.flush() : decoder.keys(from: bytes)
                for key in keys where !browser.hasQuit {
                    if key == .suspend { Terminal.suspend() } else { browser.handle(key) }
                }
            }
        }
    }
}
