import Diagnostics

// An order in which nodes can run, and how many samples each has.
extension Binder {
    /// Indices of instances, sources before their users, in the order of the file where that is free.
    ///
    /// - Returns: nil when there is a cycle, which is then reported.
    mutating func runnableOrder() -> [Int]? {
        var users = [[Int]](repeating: [], count: instances.count)
        var missing = [Int](repeating: 0, count: instances.count)
        for index in instances.indices {
            for source in Set(instances[index].sources.map(\.index)) {
                users[source].append(index)
                missing[index] += 1
            }
        }
        // Those that could run now, the first of the file at the end.
        var ready = Array(instances.indices.filter { missing[$0] == 0 }.reversed())
        var order: [Int] = []
        while let next = ready.popLast() {
            order.append(next)
            for user in users[next] {
                missing[user] -= 1
                guard missing[user] == 0 else { continue }
                ready.insert(user, at: ready.partition { $0 > user })
            }
        }
        guard order.count == instances.count else {
            reportCycles(among: instances.indices.filter { missing[$0] > 0 })
            return nil
        }
        return order
    }

    /// Reports one cycle for each knot of nodes that wait for each other.
    private mutating func reportCycles(among waiting: [Int]) {
        var inCycle: Set<Int> = []
        for start in waiting where !inCycle.contains(start) {
            guard let cycle = shortestCycle(from: start), inCycle.isDisjoint(with: cycle) else { continue }
            inCycle.formUnion(cycle)
            // The instances of one declaration run in the same circle: name it once, without class and axes.
            let selectors = Set(cycle.map { instances[$0].selector })
            let names = cycle.map { selectors.count == 1 ? instances[$0].declaration.name : instances[$0].name }
            let range = instances[start].sources.first { $0.index == cycle[1 % cycle.count] }?.range
            let first = names[0]
            report(
                cycle.count == 1
                    ? "node '\(first)' takes its own output"
                    : "nodes wait for each other: \((names + [first]).joined(separator: " → "))",
                at: range ?? instances[start].declaration.range,
                hint: cycle.count == 1
                    ? "name another node here" : "an arrow means 'takes from'; break one of them")
        }
    }

    /// The shortest way along inputs from an instance back to itself; nil when there is none.
    private func shortestCycle(from start: Int) -> [Int]? {
        var cameFrom: [Int: Int] = [:]
        var frontier = [start]
        while !frontier.isEmpty {
            var next: [Int] = []
            for index in frontier {
                for source in instances[index].sources.map(\.index) {
                    if source == start {
                        var path = [index]
                        while let last = path.last, last != start, let before = cameFrom[last] { path.append(before) }
                        return path.reversed()
                    }
                    guard cameFrom[source] == nil else { continue }
                    cameFrom[source] = index
                    next.append(source)
                }
            }
            frontier = next
        }
        return nil
    }

    /// The number of samples of each instance; nil for one step.
    mutating func samples(in order: [Int]) -> [Int?] {
        var samples = [Int?](repeating: nil, count: instances.count)
        for index in order {
            let instance = instances[index]
            guard let signature = instance.stage?.signature else { continue }
            var mapped: (name: String, count: Int)?
            for edge in instance.edges where edge.port.cardinality == .each {
                for source in edge.sources {
                    guard let count = samples[source.index] else { continue }
                    let name = instances[source.index].declaration.name
                    if let parameter = signature.samplesFrom {
                        report(
                            "stage '\(signature.name)' makes samples by '\(parameter)' and cannot map over the "
                                + "\(count) samples of '\(name)'", at: source.range,
                            hint: "name a node that is one step")
                    } else if let mapped, mapped.count != count {
                        report(
                            "'\(name)' has \(count) samples, '\(mapped.name)' has \(mapped.count)", at: source.range,
                            hint: "the inputs of one node are taken sample by sample and need the same number")
                    } else {
                        mapped = (name, count)
                    }
                }
            }
            samples[index] = mapped?.count
            if signature.samplesFrom != nil, let parameters = instance.parameters,
                let count = instance.stage?.sampleCount(parameters)
            {
                samples[index] = count
            }
        }
        return samples
    }
}

extension [Int] {
    /// The first position of a descending list at which everything behind fails `isBefore`, by halving.
    fileprivate func partition(_ isBefore: (Int) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
