import Tensors

/// A measured image set against a computed one: scale, background and domains by least squares.
///
///     fit = Σ_t a_ts T_t + b_s + c_s x,   x from −1 in the first energy bin to 1 in the last
///
/// with T_t the domains' images and s the incident energy. All pixels with a detector weigh the same, since a measured image
/// brings no errors of its own here; the coefficients' errors are those that the scatter of the residual gives, which is more
/// than counting alone where the model is wrong.
public struct ImageComparison: Sendable {
    /// How many scales there are.
    public enum Scale: String, Sendable, CaseIterable {
        case common
        case perSetting = "per-setting"
    }

    /// What is added to the computed image.
    public enum Background: String, Sendable, CaseIterable {
        case none
        /// One constant.
        case common
        /// A constant for each incident energy.
        case perSetting = "per-setting"
        /// A constant and a slope along energy for each.
        case sloped
    }

    public struct Options: Sendable {
        public var scale: Scale
        public var background: Background
        /// Fit each domain's share, instead of mixing at the given fractions.
        public var fitsDomains: Bool

        public init(scale: Scale = .common, background: Background = .none, fitsDomains: Bool = false) {
            self.scale = scale
            self.background = background
            self.fitsDomains = fitsDomains
        }
    }

    public struct Coefficient: Sendable, Hashable {
        /// `scale`, `scale 25 meV, domain 2`, `background 35 meV`, `slope 35 meV`…
        public var name: String
        public var value: Double
        /// One standard deviation.
        public var error: Double
    }

    /// On the measurement's scale, [rows, columns]; 0 where nothing was measured.
    public let fit: Tensor<Double>
    public let residual: Tensor<Double>
    public let coefficients: [Coefficient]
    /// Pearson's correlation of measurement and unfitted mixture, and of measurement and fit, over pixels with a detector.
    public let correlation: (before: Double, after: Double)
    /// The same of the fit for each incident energy; NaN where it has fewer than three pixels.
    public let correlationOfSetting: [Double]
    /// Root mean square of the residual.
    public let residualRMS: Double

    /// - Parameter domains: [domains, rows, columns].
    /// - Parameter fractions: of the domains.
    /// - Parameter measured: [rows, columns].
    /// - Parameter missing: 1 where there is no detector, [rows, columns].
    /// - Throws: `.shape`; `.invalid` where the coefficients are not determined: no pixels, or images that are a multiple of each other.
    public init(
        domains: Tensor<Float>, fractions: [Double], measured: Tensor<Float>, missing: Tensor<UInt8>,
        geometry: ImageGeometry, options: Options = Options()
    ) throws(InstrumentError) {
        let shape = geometry.shape
        guard domains.shape == [fractions.count] + shape else {
            throw .shape("domains", expected: [fractions.count] + shape, found: domains.shape)
        }
        guard measured.shape == shape else { throw .shape("the measurement", expected: shape, found: measured.shape) }
        guard missing.shape == shape else { throw .shape("the mask", expected: shape, found: missing.shape) }
        let size = shape[0] * shape[1]
        let seen = (0..<size).filter { missing.elements[$0] == 0 }
        var mixture = [Double](repeating: 0, count: size)
        for (domain, fraction) in fractions.enumerated() {
            for pixel in 0..<size { mixture[pixel] += fraction * Double(domains.elements[domain * size + pixel]) }
        }
        let data = measured.elements.map(Double.init)
        let terms = Self.terms(domains, fractions.count, geometry, options)
        let solution = try LeastSquares.solve(
            count: terms.count,
            rows: seen.map { pixel in
                let setting = pixel / shape[1] / geometry.h.count
                let bin = pixel % shape[1] / geometry.k.count
                let x = geometry.energyBins.count > 1 ? 2 * Double(bin) / Double(geometry.energyBins.count - 1) - 1 : 0
                return (
                    terms.map { term in
                        guard term.setting.map({ $0 == setting }) ?? true else { return 0 }
                        switch term.kind {
                        case .domain(let t): return Double(domains.elements[t * size + pixel])
                        case .mixture: return mixture[pixel]
                        case .constant: return 1
                        case .slope: return x
                        }
                    }, data[pixel]
                )
            })
        var fit = [Double](repeating: 0, count: size)
        var residual = fit
        for (row, pixel) in seen.enumerated() {
            fit[pixel] = solution.fitted[row]
            residual[pixel] = data[pixel] - fit[pixel]
        }
        self.fit = Tensor(shape: shape, elements: fit)
        self.residual = Tensor(shape: shape, elements: residual)
        coefficients = zip(terms, zip(solution.values, solution.errors)).map {
            Coefficient(name: $0.name, value: $1.0, error: $1.1)
        }
        correlation = (
            Self.pearson(seen.map { (mixture[$0], data[$0]) }), Self.pearson(seen.map { (fit[$0], data[$0]) })
        )
        correlationOfSetting = geometry.settings.indices.map { setting in
            let own = seen.filter { $0 / shape[1] / geometry.h.count == setting }
            return own.count < 3 ? .nan : Self.pearson(own.map { (fit[$0], data[$0]) })
        }
        let square = seen.reduce(0) { $0 + residual[$1] * residual[$1] }
        residualRMS = (square / Double(max(seen.count, 1))).squareRoot()
    }

    private struct Term {
        enum Kind { case domain(Int), mixture, constant, slope }
        var name: String
        var kind: Kind
        /// nil: of all settings.
        var setting: Int?
    }

    private static func terms(
        _ domains: Tensor<Float>, _ domainCount: Int, _ geometry: ImageGeometry, _ options: Options
    ) -> [Term] {
        func each(_ perSetting: Bool) -> [(setting: Int?, label: String)] {
            guard perSetting else { return [(nil, "")] }
            return geometry.settings.enumerated().map { ($0, " \($1.incidentEnergy) meV") }
        }
        var terms: [Term] = []
        for (setting, label) in each(options.scale == .perSetting) {
            if options.fitsDomains, domainCount > 1 {
                for t in 0..<domainCount {
                    terms.append(Term(name: "scale\(label), domain \(t + 1)", kind: .domain(t), setting: setting))
                }
            } else {
                terms.append(Term(name: "scale\(label)", kind: .mixture, setting: setting))
            }
        }
        if options.background == .none { return terms }
        for (setting, label) in each(options.background != .common) {
            terms.append(Term(name: "background\(label)", kind: .constant, setting: setting))
            if options.background == .sloped {
                terms.append(Term(name: "slope\(label)", kind: .slope, setting: setting))
            }
        }
        return terms
    }

    static func pearson(_ pairs: [(Double, Double)]) -> Double {
        let n = Double(pairs.count)
        let meanX = pairs.reduce(0) { $0 + $1.0 } / n
        let meanY = pairs.reduce(0) { $0 + $1.1 } / n
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for (a, b) in pairs {
            xy += (a - meanX) * (b - meanY)
            xx += (a - meanX) * (a - meanX)
            yy += (b - meanY) * (b - meanY)
        }
        return xy / (xx * yy).squareRoot()
    }
}
