import Foundation
import Testing

/// A store that cannot be used is left as it was, and the exit status is 3.
@Suite("Unusable stores")
struct BadStoreTests {
    private func errors(_ workplace: Workplace, _ store: String, command: String = "run") throws -> String {
        let outcome = try workplace.spinweave(command, Study.file, "--store", store)
        #expect(outcome.status == 3)
        #expect(outcome.output.isEmpty)
        return outcome.errors
    }

    @Test("a store of a newer format")
    func newer() throws {
        let workplace = try Study.workplace()
        try FileManager.default.createDirectory(at: workplace.path("future/meta"), withIntermediateDirectories: true)
        try workplace.write("spinweave store\nformat 99\n", to: "future/FORMAT")
        for command in ["run", "plan"] {
            #expect(
                try errors(workplace, "future", command: command) == """
                    error: the store 'future' has format 99, and this program knows formats up to 2
                      hint: use a newer Spinweave, or another directory with --store; nothing was changed

                    """)
        }
        let listed = try workplace.inspector("ls", "--store", "future")
        #expect(listed.status == 3)
        #expect(listed.errors.hasPrefix("error: the store 'future' has format 99"))
    }

    @Test("a file where the store should be, and a folder of other things")
    func foreign() throws {
        let workplace = try Study.workplace()
        #expect(
            try errors(workplace, "graphs/study.yaml") == """
                error: 'graphs/study.yaml' is not a Spinweave store: it holds a file where a directory should be
                  hint: name an empty or a new directory with --store; nothing was changed

                """)
        let before = try FileManager.default.subpathsOfDirectory(atPath: workplace.path("graphs").path).sorted()
        #expect(
            try errors(workplace, "graphs") == """
                error: 'graphs' is not a Spinweave store: it holds 'image.npy'
                  hint: name an empty or a new directory with --store; nothing was changed

                """)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: workplace.path("graphs").path).sorted() == before)
    }

    @Test("no store where one is only looked at")
    func missing() throws {
        let workplace = try Study.workplace()
        let message = """
            error: there is no store in 'nowhere'
              hint: run a graph first, or name another directory with --store or SPINWEAVE_STORE

            """
        let log = try workplace.spinweave("log", "--store", "nowhere")
        #expect((log.status, log.errors) == (3, message))
        let list = try workplace.inspector("ls", "--store", "nowhere")
        #expect((list.status, list.errors) == (3, message))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("nowhere").path))
    }
}
