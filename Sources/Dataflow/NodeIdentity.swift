import Artifacts
import CacheStore

/// What the steps of a node have in common, and the keys that follow from it: of each step, of each chunk of 256 samples,
/// and of the whole node.
struct NodeIdentity: Sendable {
    let stage: any Stage.Type
    private let parameters: Value
    /// A record: domain, stage, version, parameters, and where they apply random and executor.
    let template: Value
    let encodedTemplate: [UInt8]
    let digest: Digest
    /// Whether the sample's number is in its key. Two samples with equal inputs are the same step, unless the stage makes
    /// the samples or draws numbers.
    let numbersSamples: Bool
    /// The parameters that enter by the samples that read them: none, for most stages.
    private let pointNames: Set<String>

    /// - Parameter executor: in the key under `--strict-numerics` only.
    init(_ node: Graph.Node, seed: Int, executor: String?) {
        stage = node.stage
        parameters = node.parameters
        let signature = node.stage.signature
        pointNames = node.stage.sampleParameterNames
        numbersSamples = signature.isRandom || (signature.samplesFrom != nil && pointNames.isEmpty)
        var shared = keyParameters(node.parameters, of: signature)
        if !pointNames.isEmpty, case .record(let fields) = shared {
            shared = .record(fields.filter { [pointNames] in !pointNames.contains($0.key) })
        }
        var fields: [String: Value] = [
            "domain": .string("spinweave step 2"), "stage": .string(signature.name),
            "version": .int(signature.version), "parameters": shared,
        ]
        if signature.isRandom { fields["random"] = .record(["seed": .int(seed), "node": .string(node.name)]) }
        if let executor { fields["executor"] = .string(executor) }
        template = .record(fields)
        encodedTemplate = template.encoded().bytes
        digest = Digest(of: encodedTemplate)
    }

    /// Canonical bytes of what one sample reads of the parameters; empty where samples differ in nothing but their number.
    func point(_ sample: Int?) -> [UInt8] {
        guard !pointNames.isEmpty, let sample else { return [] }
        return stage.parameters(parameters, ofSample: sample)?.withContentForPaths.encoded().bytes ?? []
    }

    /// - Parameter inputs: the digest of each connected port; of an `all` port, the digest of its collection.
    func step(inputs: [String: Digest], sample: Int?) -> StepIdentity {
        StepIdentity(
            template: digest, inputs: inputs, sample: numbersSamples ? sample : nil, point: point(sample))
    }

    func pattern(ports: [String], hasSamples: Bool) -> KeyPattern {
        KeyPattern(template: digest, ports: ports, hasSample: numbersSamples && hasSamples)
    }

    /// - Parameter inputs: by port, the root of the same samples of its source; of a source without samples, its artifact.
    func chunk(_ samples: Range<Int>, inputs: [String: Digest]) -> Digest {
        var fields: [String: Value] = [
            "domain": .string("spinweave chunk 2"), "template": .digest(digest), "first": .int(samples.lowerBound),
            "count": .int(samples.count), "inputs": .record(inputs.mapValues { .digest($0) }),
        ]
        if !pointNames.isEmpty { fields["points"] = .list(samples.map { .bytes(point($0)) }) }
        return Value.record(fields).digest
    }

    /// - Parameter inputs: as for `chunk`, of all samples.
    func node(samples: Int, inputs: [String: Digest]) -> Digest {
        var fields: [String: Value] = [
            "domain": .string("spinweave node 2"), "template": .digest(digest), "samples": .int(samples),
            "inputs": .record(inputs.mapValues { .digest($0) }),
        ]
        if !pointNames.isEmpty, case .record(let all) = parameters {
            fields["points"] = Value.record(all.filter { pointNames.contains($0.key) }).withContentForPaths
        }
        return Value.record(fields).digest
    }
}
