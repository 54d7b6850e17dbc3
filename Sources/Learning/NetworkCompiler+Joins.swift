import COneDNN

// Residual joins: a value marked on the way is added to a later one, and on the way back the gradient takes both ways.

/// The marked values of a network that is being compiled.
struct Joins {
    /// Where each `add` finds what its mark named, and how many of them are still to come.
    fileprivate var marked: [String: (memory: Memory, uses: Int)] = [:]
    /// Gradients that the adds of a mark have sent back to it.
    fileprivate var returned: [String: [Memory]] = [:]

    /// Whether a layer to come needs `memory`.
    func holds(_ memory: Memory) -> Bool {
        marked.values.contains { $0.uses > 0 && $0.memory.buffer === memory.buffer }
    }
}

extension NetworkCompiler {
    func emitMark(_ number: Int, _ mark: String, _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let uses = spec.layers[number...].count { $0 == .add(mark) }
        joins.marked[mark] = (source, uses)
        return (
            source,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                guard let returned = joins.returned[mark] else { return gradient }
                // The gradient's own memory is not written to: attribution shows it.
                var sum = gradient
                for part in returned {
                    let part = try reordered(part, to: gradient.layout)
                    try emitSum(part, sum, into: part)
                    if sum !== gradient { retire(sum) }
                    sum = part
                }
                if mode == .attribution { activationGradients[number] = sum }
                return sum
            }
        )
    }

    func emitAdd(_ mark: String, _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        guard let marked = joins.marked[mark]?.memory else { preconditionFailure("no mark '\(mark)'") }
        let other = try reordered(marked, to: source.layout)
        let output = try memory(source.layout)
        try emitSum(source, other, into: output)
        joins.marked[mark]?.uses -= 1
        retire(other, unlessSharedWith: source)
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                // A copy, because what follows may overwrite the gradient.
                let copy = try memory(gradient.layout)
                try emit(
                    PrimitiveDescription(reorder: gradient.layout, to: copy.layout, engine),
                    [(DNNL_ARG_FROM, gradient), (DNNL_ARG_TO, copy)])
                joins.returned[mark, default: []].append(copy)
                return gradient
            }
        )
    }

    /// - Parameter result: may be `a`.
    private func emitSum(_ a: Memory, _ b: Memory, into result: Memory) throws(LearningError) {
        try emit(
            describeSum(engine, a.layout, b.layout, result.layout),
            [(DNNL_ARG_SRC_0, a), (DNNL_ARG_SRC_1, b), (DNNL_ARG_DST, result)])
    }
}
