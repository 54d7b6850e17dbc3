import Foundation
import Testing

/// Layers that do not fit the images or the classes.
@Suite("Layers that do not fit")
struct LayerTests {
    private static let start = "network#0: failed: "

    @Test(
        "each says which layer, why, and what to do",
        arguments: [
            (
                "{panels: {rows: 5, columns: 3}}, flatten, {dense: 2}",
                """
                layer 1: a 24×36 image cannot be cut into 5×3 equal panels
                  hint: the height must be a multiple of the rows, the width of the columns

                """
            ),
            (
                "flatten, {dense: 3}",
                """
                network: the last layer gives shape [3], but there are 2 classes
                  hint: end the list of layers with dense of 2 units, or centroids of 2 classes

                """
            ),
            (
                "{conv: {channels: 2, kernel: [25, 9], padding: valid}}, flatten, {dense: 2}",
                """
                layer 1: kernel 25×9 does not fit a 24×36 map
                  hint: use padding same, a smaller kernel or less pooling before

                """
            ),
            (
                "flatten, {max-pool: [2, 2]}, {dense: 2}",
                """
                layer 2: max-pool needs an image but gets a vector of 864
                  hint: put it before the first dense, flatten or global-average-pool

                """
            ),
        ])
    func shapes(layers: String, message: String) throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["network.layers=[\(layers)]"]))
        #expect(outcome.status == 1)
        #expect(outcome.output.contains(Self.start + message), "\(outcome.output)")
    }

    @Test("a misspelt layer is found before anything runs")
    func misspelt() throws {
        let workplace = try QuickGraph.workplace()
        let option = "network.layers=[flatten, {dens: 2}]"
        let outcome = try workplace.spinweave(["run", QuickGraph.file] + QuickGraph.options([option]))
        #expect(outcome.status == 2)
        #expect(
            outcome.errors == """
                command line: error: 'layers.1' has no form 'dens'
                      | --set network.layers=[flatten, {dens: 2}]
                      |                                 ^~~~
                  hint: did you mean 'dense'?

                """)
    }
}
