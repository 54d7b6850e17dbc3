#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Intervals of energy that intensity is gathered in.
public struct EnergyBins: Hashable, Sendable {
    /// Ascending, one more than bins, in meV.
    public let edges: [Double]

    /// - Throws: `.badBins` unless there are two edges or more, finite and ascending.
    public init(edges: [Double]) throws(SpinWaveError) {
        guard edges.count >= 2, edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw .badBins("energy bins need two edges or more, finite and ascending")
        }
        self.edges = edges
    }

    /// `count` equal bins.
    public init(from low: Double, to high: Double, count: Int) throws(SpinWaveError) {
        guard low.isFinite, high.isFinite, low < high, (1...1_000_000).contains(count) else {
            throw .badBins(
                "energy bins need a range that rises and 1 to 1000000 bins, not \(low) to \(high) meV in \(count)")
        }
        edges = (0...count).map { $0 == count ? high : low + (high - low) * Double($0) / Double(count) }
    }

    public var count: Int { edges.count - 1 }
    public var centres: [Double] { zip(edges, edges.dropFirst()).map { ($0 + $1) / 2 } }
    public var widths: [Double] { zip(edges, edges.dropFirst()).map { $1 - $0 } }

    /// Adds a line's intensity to `spectrum`, integrated over each bin.
    ///
    /// - Parameter fwhm: in meV; 0 puts all of it into the bin that holds `energy` (its lower edge belongs to a bin, its upper
    ///   edge does not, except the last). A Gaussian loses what falls outside the bins and keeps the rest to 1e-8.
    public func add(_ intensity: Double, at energy: Double, fwhm: Double, to spectrum: inout [Double]) {
        precondition(spectrum.count == count, "a spectrum has one value for each bin")
        guard energy.isFinite else { return }
        if fwhm <= 0 {
            if let bin = bin(of: energy) { spectrum[bin] += intensity }
            return
        }
        // √2 σ; erf is 1 to 2e-17 beyond six of them.
        let width = fwhm / (2 * log(2.0).squareRoot())
        var below: Double?
        for bin in firstEdge(above: energy - 6 * width)..<max(firstEdge(above: energy - 6 * width), count) {
            if edges[bin] > energy + 6 * width { break }
            let low = below ?? erf((edges[bin] - energy) / width)
            let high = erf((edges[bin + 1] - energy) / width)
            spectrum[bin] += intensity * (high - low) / 2
            below = high
        }
    }

    /// The bin that holds this energy; nil outside.
    public func bin(of energy: Double) -> Int? {
        guard energy >= edges[0], energy <= edges[count] else { return nil }
        return energy == edges[count] ? count - 1 : firstEdge(above: energy)
    }

    /// The lower edge of the first bin whose upper edge lies above `energy`.
    private func firstEdge(above energy: Double) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if edges[middle + 1] > energy { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
