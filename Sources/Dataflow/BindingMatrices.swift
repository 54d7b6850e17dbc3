import Diagnostics
import GraphLanguage

// One declaration, many nodes: over classes and over the axes of `for`.
extension Binder.Instance {
    /// The name by which classes are an axis among others.
    static let classAxis = "class"

    /// Where the instance stands, classes first.
    var places: [(axis: String, label: String)] {
        (className.map { [(Self.classAxis, $0)] } ?? [])
            + zip(declaration.axes, points).map { ($0.name, $1.label) }
    }

    var coordinates: [Graph.Coordinate] {
        zip(declaration.axes, points).map { Graph.Coordinate(axis: $0.name, label: $1.label) }
    }

    /// What `$axis` means in it.
    var settings: [Located.Entry] {
        zip(declaration.axes, points).map { Located.Entry(key: $0.name, keyRange: $0.range, value: $1.value) }
    }

    /// `dimer,exposure=2`, as it stands behind the `@` of the name; nil for a node that exists once.
    var selector: String? { Self.selector(className: className, points: points, of: declaration) }

    static func selector(
        className: String?, points: [GraphFile.Axis.Point], of declaration: GraphFile.NodeDeclaration
    ) -> String? {
        let parts = (className.map { [$0] } ?? []) + zip(declaration.axes, points).map { "\($0.name)=\($1.label)" }
        return parts.isEmpty ? nil : parts.joined(separator: ",")
    }
}

extension Binder {
    /// Nodes that one declaration may stand for: beyond it, samples are what is wanted.
    static let matrixLimit = 1000

    /// Every combination: classes first, then the axes as written, the last one running fastest.
    mutating func instances(of declaration: GraphFile.NodeDeclaration, stage: (any Stage.Type)?) -> [Instance] {
        let classNames: [String?] = declaration.forEachClass ? file.classes.map(\.name) : [nil]
        guard count(of: declaration) <= Self.matrixLimit else {
            let factors = (declaration.forEachClass ? [classNames.count] : []) + declaration.axes.map(\.points.count)
            report(
                "node '\(declaration.name)' stands for \(factors.map(String.init).joined(separator: " × ")) nodes, at most "
                    + "\(Self.matrixLimit) are allowed", at: declaration.range,
                hint: "take fewer values, or the samples of one node: sweep-parameters, sample-parameters")
            return []
        }
        var combinations: [(className: String?, points: [GraphFile.Axis.Point])] = classNames.map { ($0, []) }
        for axis in declaration.axes {
            combinations = combinations.flatMap { combination in
                axis.points.map { (combination.className, combination.points + [$0]) }
            }
        }
        return combinations.map { className, points in
            let selector = Instance.selector(className: className, points: points, of: declaration)
            return Instance(
                name: selector.map { "\(declaration.name)@\($0)" } ?? declaration.name, className: className,
                points: points, declaration: declaration, stage: stage)
        }
    }

    /// The number of combinations, as far as it is allowed: a long product need not fit an integer to be too long.
    private func count(of declaration: GraphFile.NodeDeclaration) -> Int {
        declaration.axes.reduce(declaration.forEachClass ? file.classes.count : 1) { total, axis in
            min(total, Self.matrixLimit + 1) * min(axis.points.count, Self.matrixLimit + 1)
        }
    }

    /// The instances of a declaration, in order.
    func indices(of declaration: GraphFile.NodeDeclaration) -> [Int] {
        let all = count(of: declaration)
        guard let first = firstIndexOfNode[declaration.name], all <= Self.matrixLimit else { return [] }
        return Array(first..<first + all)
    }
}
