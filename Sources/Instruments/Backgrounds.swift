import Compute
import Foundation

/// What scatters besides the magnet, in the image's units; x = E/Ei, Q in 1/Å. All are off where their amplitude is 0.
///
/// With amplitudes A drawn for each setting and shapes for each image:
///
///     environment   A exp(−|x| / d)
///     elastic tail  A (0.1² + w²) / (x² + w²)                            A: at a tenth of the incident energy
///     phonons       A (|Q|/2)² [E (n + 1)](E) / [E (n + 1)](Ec) exp(−(|E| − ε(Q))² / 2 (0.3 Ec)²)
///     incoherent    A kf/ki
///     Bragg tails   A_s exp(−max(x, 0) / e) exp(−((h − h₀)² + (k − k₀)²) / 2σ²)
///
/// ε(Q) = Ec |sin(π |Q| / τ)| stands for the powder-averaged acoustic phonons of aluminium, of cans and holders: τ = 2.687
/// 1/Å is its 111 reflection (a = 4.05 Å). A of the phonons is the intensity at |Q| = 2 1/Å and E = Ec in the middle of the
/// band; E (n(E) + 1), which is finite at E = 0 and obeys detailed balance, comes from a density of states ∝ E² and the
/// one-phonon cross section Q² g(E) (n + 1) / E (G. L. Squires, Introduction to the Theory of Thermal Neutron Scattering,
/// equation 3.138, without its Debye–Waller factor).
///
/// The first three are what a run with the empty sample holder shows. `subtraction` takes them away imperfectly.
public struct Backgrounds: Hashable, Sendable, Codable {
    /// Range of the amplitude of the smooth background of the sample environment.
    public var environment: ClosedRange<Double> = 0...0
    /// Range of its decay d along energy.
    public var environmentDecay: ClosedRange<Double> = 0.2...0.8
    /// Range of the amplitude of the elastic line's tail.
    public var elasticTail: ClosedRange<Double> = 0...0
    /// Range of its width w.
    public var elasticWidth: ClosedRange<Double> = 0.02...0.06
    /// Range of the amplitude of phonons.
    public var phonons: ClosedRange<Double> = 0...0
    /// Range of the top Ec of their band, meV.
    public var phononEnergy: ClosedRange<Double> = 20...40
    /// Temperature in their Bose factor, K.
    public var temperature = 5.0
    /// Range of the amplitude of what scatters alike in all directions.
    public var incoherent: ClosedRange<Double> = 0...0
    /// Mean number of streaks of intensity above Bragg peaks (Poisson).
    public var braggTails = 0.0
    /// (h, k) of the streaks, r.l.u. of the image; drawn from the whole (h, k) in the image but (0, 0) where empty.
    public var braggPoints: [SIMD2<Double>] = []
    /// Range of their amplitude; each setting has between nothing and all of it.
    public var braggAmplitude: ClosedRange<Double> = 1...10
    /// Range of their width σ, r.l.u.
    public var braggWidth: ClosedRange<Double> = 0.02...0.06
    /// Range of their decay e along energy.
    public var braggExtent: ClosedRange<Double> = 0.05...0.3
    /// Range of the factor on the measured empty holder when it is subtracted: 1 is right, 0...0 no subtraction.
    public var subtraction: ClosedRange<Double> = 0...0
    /// Counting time of the empty holder in units of the sample's; 0: it is known without noise.
    public var emptyExposure = 0.0

    public init() {}

    /// Whether nothing is added or subtracted.
    var areOff: Bool { !hasHolder && incoherent == 0...0 && braggTails == 0 }
    private var hasHolder: Bool { environment != 0...0 || elasticTail != 0...0 || phonons != 0...0 }

    func validate() throws(InstrumentError) {
        let ranges = [
            ("environment", environment), ("elasticTail", elasticTail), ("phonons", phonons),
            ("incoherent", incoherent), ("braggAmplitude", braggAmplitude), ("subtraction", subtraction),
        ]
        for (name, range) in ranges where !(range.lowerBound >= 0 && range.upperBound.isFinite) {
            throw .invalid(name, problem: "must be 0 or more")
        }
        let positive = [
            ("environmentDecay", environmentDecay), ("elasticWidth", elasticWidth), ("phononEnergy", phononEnergy),
            ("braggWidth", braggWidth), ("braggExtent", braggExtent),
        ]
        for (name, range) in positive where !(range.lowerBound > 0 && range.upperBound.isFinite) {
            throw .invalid(name, problem: "must be positive")
        }
        guard temperature >= 0, temperature.isFinite else {
            throw .invalid("temperature", problem: "must be 0 or more")
        }
        guard emptyExposure >= 0, emptyExposure.isFinite else {
            throw .invalid("emptyExposure", problem: "must be 0 or more")
        }
        guard (0...1000).contains(braggTails) else { throw .invalid("braggTails", problem: "must lie in 0…1000") }
    }

    /// The random numbers of one image.
    public struct Draw: Hashable, Sendable {
        /// Amplitudes, one a setting.
        public var environment, elasticTail, phonons, incoherent: [Double]
        public var environmentDecay, elasticWidth, phononEnergy: Double
        public var braggTails: [BraggTail]
        /// Factor on the measured empty holder.
        public var subtraction: Double
    }

    /// A streak of intensity above a Bragg peak.
    public struct BraggTail: Hashable, Sendable {
        /// h and k, r.l.u. of the image.
        public var place: SIMD2<Double>
        /// σ, r.l.u.
        public var width: Double
        /// Decay along energy in units of the incident energy.
        public var extent: Double
        /// One a setting.
        public var amplitudes: [Double]
    }

    func draw(stream: RandomStream, geometry: ImageGeometry) -> Draw {
        let settings = geometry.settings.indices
        func uniform(_ range: ClosedRange<Double>, _ name: String, _ index: Int = 0) -> Double {
            range.lowerBound + (range.upperBound - range.lowerBound) * stream.substream(name).uniform(at: index)
        }
        func amplitudes(_ range: ClosedRange<Double>, _ name: String) -> [Double] {
            settings.map { uniform(range, name, $0) }
        }
        var tails: [BraggTail] = []
        let points = braggPoints.isEmpty ? Self.wholePoints(in: geometry) : braggPoints
        if braggTails > 0, !points.isEmpty {
            for index in 0..<stream.substream("Bragg tails").poisson(mean: braggTails, at: 0) {
                var numbers = RandomSequence(stream.substream("Bragg tail", index))
                let place = points[min(Int(numbers.uniform() * Double(points.count)), points.count - 1)]
                let width = numbers.uniform(braggWidth)
                let extent = numbers.uniform(braggExtent)
                let amplitude = numbers.uniform(braggAmplitude)
                tails.append(
                    BraggTail(
                        place: place, width: width, extent: extent,
                        amplitudes: settings.map { _ in amplitude * numbers.uniform() }))
            }
        }
        return Draw(
            environment: amplitudes(environment, "environment"), elasticTail: amplitudes(elasticTail, "elastic tail"),
            phonons: amplitudes(phonons, "phonons"), incoherent: amplitudes(incoherent, "incoherent"),
            environmentDecay: uniform(environmentDecay, "environment decay"),
            elasticWidth: uniform(elasticWidth, "elastic width"), phononEnergy: uniform(phononEnergy, "phonon energy"),
            braggTails: tails, subtraction: uniform(subtraction, "subtraction"))
    }

    private static func wholePoints(in geometry: ImageGeometry) -> [SIMD2<Double>] {
        func whole(_ axis: ImageGeometry.PixelAxis) -> StrideThrough<Double> {
            stride(from: axis.minimum.rounded(.up), through: axis.maximum, by: 1)
        }
        return whole(geometry.h).flatMap { h in
            whole(geometry.k).map { k in SIMD2(h, k) }.filter { $0 != SIMD2(0, 0) }
        }
    }
}
