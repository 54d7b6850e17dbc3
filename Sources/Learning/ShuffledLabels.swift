import Compute

extension ImageSet {
    /// These images with the labels of some origins dealt out among the same origins anew: the data randomisation of J. Adebayo
    /// et al., arXiv:1810.03292, section 5.2.
    ///
    /// All images of an origin get one label, so that a network can learn them by heart, and there are as many origins of each
    /// label as before. Images are not copied.
    ///
    /// - Parameter members: positions of the images whose origins take part, all images of an origin or none; the others
    ///   keep their labels.
    /// - Parameter random: address of the permutation.
    public func shufflingLabels(of members: [Int], random: RandomStream) -> ImageSet {
        let dealt = originLabels(of: members)
        var sequence = RandomSequence(random)
        let labels = dealt.labels.shuffled(using: &sequence)
        let new = Dictionary(uniqueKeysWithValues: zip(dealt.origins, labels))
        var result = self
        for member in members { result.labels[member] = new[origins[member]] ?? self.labels[member] }
        return result
    }

    /// Origins of some images in the order in which they come, with the label of the first image of each.
    public func originLabels(of members: [Int]) -> (origins: [String], labels: [Int]) {
        var known: Set<String> = []
        var result: (origins: [String], labels: [Int]) = ([], [])
        for member in members where known.insert(origins[member]).inserted {
            result.origins.append(origins[member])
            result.labels.append(labels[member])
        }
        return result
    }
}
