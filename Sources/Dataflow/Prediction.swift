/// What a run will take, foretold from what its steps cost before.
///
/// Seconds are those of the clock: steps of a node run side by side on so many threads, nodes one after the other. What
/// counts as the range holds the true cost in most cases when the records are of the same work; an edit that makes steps
/// slower (a finer grid) is not foreseen.
public struct Prediction: Sendable, Hashable {
    /// The work of one node.
    public struct Work: Sendable, Hashable {
        public var node: String
        /// Steps that certainly run.
        public var steps: Int
        /// Steps that may run: their inputs are not known yet, and may come out as before.
        public var awaiting: Int
        /// One step uses all threads.
        public var isThreaded: Bool
        /// nil where nothing like it was ever computed.
        public var cost: RecordedCost?

        public init(node: String, steps: Int, awaiting: Int = 0, isThreaded: Bool = false, cost: RecordedCost?) {
            self.node = node
            self.steps = steps
            self.awaiting = awaiting
            self.isThreaded = isThreaded
            self.cost = cost
        }
    }

    /// Seconds or bytes.
    public struct Amount: Sendable, Hashable {
        public var low = 0.0
        public var likely = 0.0
        public var high = 0.0

        static func + (a: Amount, b: Amount) -> Amount {
            Amount(low: a.low + b.low, likely: a.likely + b.likely, high: a.high + b.high)
        }
    }

    /// One share of the work: what certainly runs, or what may.
    public struct Share: Sendable, Hashable {
        public var steps = 0
        /// Steps of stages that were never computed: in `steps`, and not in `seconds` and `bytes`.
        public var unknownSteps = 0
        public var seconds = Amount()
        /// Canonical bytes of the artifacts, before compression.
        public var bytes = Amount()
        /// Nodes of which nothing is known.
        public var unknown: [String] = []
    }

    public var jobs: Int
    public var certain = Share()
    /// Beyond `certain`, at most.
    public var possible = Share()

    public init(_ work: [Work], jobs: Int) {
        self.jobs = max(1, jobs)
        for node in work {
            certain.add(node, steps: node.steps, jobs: self.jobs)
            possible.add(node, steps: node.awaiting, jobs: self.jobs)
        }
    }

    /// How long so many steps of a node take; nil where nothing is known.
    public static func seconds(steps: Int, cost: RecordedCost?, isThreaded: Bool, jobs: Int) -> Amount? {
        guard let cost, steps > 0 else { return cost == nil ? nil : Amount() }
        let threads = Double(isThreaded ? 1 : max(1, min(jobs, steps)))
        // The last round is as long as a full one.
        let rounds = (Double(steps) / threads).rounded(.up)
        let likely = rounds * cost.meanSeconds
        // One record says nothing of the scatter.
        let scatter = cost.count > 1 ? cost.deviation : cost.meanSeconds / 2
        let n = Double(cost.count)
        // Two standard deviations: of the mean, which all steps share, and of the steps, which average out. Never less than
        // a tenth: machines are busier at times.
        let error = 2 * scatter * (rounds * rounds / n + rounds / threads).squareRoot()
        let half = max(error, likely / 10)
        return Amount(low: max(0, likely - half), likely: likely, high: likely + half)
    }
}

extension Prediction.Share {
    fileprivate mutating func add(_ work: Prediction.Work, steps count: Int, jobs: Int) {
        guard count > 0 else { return }
        steps += count
        guard let cost = work.cost,
            let more = Prediction.seconds(steps: count, cost: cost, isThreaded: work.isThreaded, jobs: jobs)
        else {
            unknownSteps += count
            unknown.append(work.node)
            return
        }
        // Errors add up: a busy machine is slower at everything.
        seconds = seconds + more
        let size = Double(count) * cost.meanBytes
        bytes = bytes + Prediction.Amount(low: size, likely: size, high: size)
    }
}

extension Prediction {
    /// The prediction of a plan.
    public init(_ plan: Plan, graph: Graph, costs: RecordedCosts, jobs: Int) throws {
        var work: [Work] = []
        for (node, planned) in zip(graph.nodes, plan.nodes) {
            let (steps, awaiting) = (planned.count(.run), planned.count(.awaits))
            if steps + awaiting == 0 { continue }
            work.append(
                Work(
                    node: node.name, steps: steps, awaiting: awaiting, isThreaded: node.stage.signature.isThreaded,
                    cost: try costs.cost(of: node)))
        }
        self.init(work, jobs: jobs)
    }
}
