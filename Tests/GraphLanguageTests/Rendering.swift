import Diagnostics
import GraphLanguage

/// What a user reads when a text is no graph file.
func problems(_ text: String, set overrides: [String] = []) -> String {
    do {
        _ = try GraphFile.parse(text: text, file: "test.yaml", overrides: overrides)
        return "no problems\n"
    } catch {
        return render(error.diagnostics, source: { $0 == "test.yaml" ? yamlLines(of: text) : nil })
    }
}
