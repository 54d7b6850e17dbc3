import Artifacts
import CacheStore
import Dataflow
import Presentation
import Tensors

/// The page that tells what a graph found: built from the store alone, so it can be written again at any time.
struct ReportPage {
    let graph: Graph
    let known: KnownArtifacts
    let store: Store

    init(_ graph: Graph, known: KnownArtifacts, store: Store) {
        self.graph = graph
        self.known = known
        self.store = store
    }

    func page() throws -> HTMLPage {
        var page = HTMLPage(
            title: graph.name,
            subtitle: "Which magnetic model explains the measurement, how sure the network is, and why")
        let sections = try [
            verdictSection(), parametersSection(), measurementSection(), refinementSection(), comparisonSection(),
            attributionSection(),
            networkSection(),
            testSection(), verdictTestSection(),
            samplingSection(), try runSection(),
        ]
        page.sections = sections.compactMap { $0 }
        if page.sections.isEmpty {
            page.sections = [
                .init(
                    "Nothing computed yet",
                    [
                        .callout(
                            .warn, title: "The store has no results of this graph",
                            text: "Run it first: spinweave run \(graph.file)")
                    ])
            ]
        }
        page.footer = "Spinweave \(Spinweave.version), graph \(graph.file), seed \(graph.seed), store \(store.path)"
        return page
    }

    /// Nodes of a stage with what the store has of them.
    func nodes(of stage: String) -> [Graph.Node] { graph.nodes.filter { $0.stage.signature.name == stage } }

    func artifact(of node: Graph.Node, sample: Int = 0) throws -> Value? {
        try known.value(of: node.name, sample: sample)
    }

    /// The node that feeds a port of `node`.
    func source(of node: Graph.Node, port: String) -> Graph.Node? {
        node.edges.first { $0.port == port }.map { graph.nodes[$0.sources[0]] }
    }

    private func verdictSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "judge") {
            guard let value = try artifact(of: node) else { continue }
            let wording = VerdictWording(value)
            if nodes(of: "judge").count > 1 { blocks.append(.heading(node.name)) }
            let decided = wording.isDecided
            let best = wording.probabilities.first
            blocks.append(
                .tiles([
                    .init(
                        wording.decision, decided ? "model that explains the measurement" : "no model is named",
                        detail: decided ? nil : "most likely: \(wording.mostLikely)", tone: decided ? .ok : .warn),
                    .init(
                        best.map { Wording.percent($0.probability) } ?? "–", "mean probability of the ensemble",
                        detail: best.map { "± \(Wording.percent($0.deviation)) between members" }),
                    .init(
                        Wording.number(try value.double("domain-p-value"), significant: 2), "in-domain p-value",
                        detail: wording.isHeldOut
                            ? "fraction of held-out simulations at least as strange"
                            : "fraction of training images at least as far out",
                        tone: try value.double("domain-p-value") < 0.01 ? .bad : .neutral),
                    .init(
                        Wording.number(try value.double("mutual-information"), significant: 2),
                        "disagreement of members (nats)"),
                ]))
            blocks.append(
                .figure(
                    BarChart.probabilities(
                        wording.probabilities.map {
                            .init(
                                $0.name, $0.probability, low: max(0, $0.probability - $0.deviation),
                                high: min(1, $0.probability + $0.deviation))
                        }, alternativeText: "Probability of each model"),
                    caption: "Mean probability of each model over the ensemble; whiskers are one standard deviation "
                        + "between its members, after temperature scaling on validation simulations."))
            // What speaks against trusting it comes before the tables that say more.
            for flag in wording.flags {
                let parts = flag.split(separator: ":", maxSplits: 1).map(String.init)
                blocks.append(
                    .callout(
                        flag.hasPrefix("simulated") ? .neutral : .warn, title: parts.first ?? flag,
                        text: parts.count > 1 ? parts[1] : ""))
            }
            if let accuracy = value["test-accuracy"], !accuracy.isNone {
                let interval = try value.doubles("test-accuracy-interval")
                blocks.append(
                    .paragraph(
                        "On held-out simulations the ensemble is right in \(Wording.percent(try accuracy.asDouble())) "
                            + "(95 % interval \(Wording.percent(interval[0])) to \(Wording.percent(interval[1])))."))
            }
            blocks += try calibrationBlocks(value)
        }
        return blocks.isEmpty ? nil : .init("Verdict", blocks)
    }

    private func samplingSection() throws -> HTMLPage.Section? {
        var table = Table(columns: [
            .init("samples"), .number("count"), .number("draws"), .number("rejected"), .number("kept unstable"),
        ])
        for node in nodes(of: "sample-parameters") {
            var (draws, rejected, unstable, count) = (0, 0, 0, 0)
            for record in try known.records(of: node.name) {
                guard let record, record.artifact != nil else { continue }
                let summary = try Value(decoding: record.summary)
                count += 1
                draws += try summary.int("draws")
                rejected += try summary.int("rejected")
                if try summary.bool("unstable") { unstable += 1 }
            }
            guard count > 0 else { continue }
            table.rows.append([
                node.name, Wording.count(count), Wording.count(draws),
                "\(Wording.count(rejected)) (\(Wording.percent(Double(rejected) / Double(max(draws, 1)))))",
                Wording.count(unstable),
            ])
        }
        guard !table.rows.isEmpty else { return nil }
        return .init(
            "Sampling and stability",
            [
                .paragraph(
                    "Draws whose Hamiltonian is not positive definite have another ground state than the one assumed. "
                        + "They are handled by the graph's policy (on-unstable) and counted here."),
                .table(table),
            ])
    }
}
