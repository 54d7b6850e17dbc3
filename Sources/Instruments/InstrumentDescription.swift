/// A spectrometer with what may be chosen on it: chopper packages and frequencies.
public struct InstrumentDescription: Hashable, Sendable {
    /// Frequencies that the choppers can run at, Hz.
    public struct Frequencies: Hashable, Sendable {
        public var range: ClosedRange<Double>
        /// From the lower bound; 0 for any.
        public var step: Double

        public init(_ range: ClosedRange<Double>, step: Double = 0) {
            self.range = range
            self.step = step
        }

        public func allows(_ frequency: Double) -> Bool {
            guard range.contains(frequency) else { return false }
            guard step > 0 else { return true }
            let steps = (frequency - range.lowerBound) / step
            return abs(steps - steps.rounded()) < 1e-6
        }

        /// `50 to 600 Hz in steps of 50 Hz`
        public var wording: String {
            let (low, high) = (InstrumentError.short(range.lowerBound), InstrumentError.short(range.upperBound))
            return "\(low) to \(high) Hz" + (step > 0 ? " in steps of \(InstrumentError.short(step)) Hz" : "")
        }
    }

    /// With the default package.
    public var instrument: Instrument
    public var packages: [String: Chopper]
    public var defaultPackage: String
    public var frequencies: Frequencies
    /// Where it has detectors; nil where the description does not say.
    public var detectors: DetectorBanks?

    /// - Throws: when the default package is none, or a package makes no sense on this instrument.
    public init(
        instrument: Instrument, packages: [String: Chopper], defaultPackage: String, frequencies: Frequencies
    ) throws(InstrumentError) {
        self.instrument = instrument
        self.packages = packages
        self.defaultPackage = defaultPackage
        self.frequencies = frequencies
        for name in packages.keys.sorted() { try self.instrument(package: name).validate() }
        self.instrument = try self.instrument(package: defaultPackage)
    }

    /// The instrument with one of its packages; `nil` takes the default.
    public func instrument(package: String?, without: Set<Instrument.Part> = []) throws(InstrumentError) -> Instrument {
        guard let chopper = packages[package ?? defaultPackage] else {
            throw .invalid(
                "the package '\(package ?? defaultPackage)'",
                problem: "is none of \(instrument.name), which has \(packages.keys.sorted().joined(separator: ", "))")
        }
        var instrument = instrument
        instrument.chopper = chopper
        instrument.without = without
        return instrument
    }
}
