import Compute

extension Weights {
    /// These weights with those of the layers from `layer` (counted from 1) on drawn anew, as before training.
    ///
    /// What an explanation shows of a network must go with the network's knowledge: the test of J. Adebayo et al.,
    /// arXiv:1810.03292. Cascading randomisation takes away one layer after the other, from the last.
    ///
    /// - Throws: `LearningError.weights` when these belong to another network.
    public func randomised(from layer: Int = 1, _ spec: NetworkSpec, random: RandomStream) throws(LearningError)
        -> Weights
    {
        try check(fit: spec)
        let fresh = Weights(initialising: spec, random: random)
        var result = self
        for parameter in parameters where parameter.layer >= layer {
            result.values.replaceSubrange(parameter.range, with: fresh.values[parameter.range])
        }
        return result
    }
}

extension NetworkSpec {
    /// Numbers of the layers with weights, from 1.
    public var layersWithWeights: [Int] { Set(parameters.map(\.layer)).sorted() }
}
