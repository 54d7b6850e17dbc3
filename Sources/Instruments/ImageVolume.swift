/// Which part of (Q, E) an image shows of a crystal that is held in any way: the axes u, v, w it is drawn along, and how psi is
/// varied.
///
/// A place (x, y, w) is Q = x u + y v + w w. The image's rows count x, its columns y. At rest each (x, y, E) has a w of its own,
/// where the kinematics show it; where two detectors see (x, y, E), the one counts on whose side w points along the beam (or
/// against it), and where w lies across the beam the one to which w points. Of a crystal that turns the image is the mean over
/// a range of w.
public struct ImageVolume: Hashable, Sendable, Codable {
    /// A rotation about the vertical.
    public struct Turn: Hashable, Sendable, Codable {
        /// Of the first and last run, degrees.
        public var psi: ClosedRange<Double>
        /// Between runs, degrees; a run covers half of it to either side.
        public var step: Double
        /// Averaged, in units of the vector w.
        public var w: ClosedRange<Double>
        /// Places in the range of w where modes do not disperse along it.
        public var layers: Int

        public init(psi: ClosedRange<Double>, step: Double, w: ClosedRange<Double>, layers: Int = 8) {
            self.psi = psi
            self.step = step
            self.w = w
            self.layers = layers
        }

        /// Whether a run, with half a step to either side, has this angle or one that is whole turns from it.
        func covers(_ angle: Double) -> Bool {
            let (low, high) = (psi.lowerBound - step / 2 - 1e-9, psi.upperBound + step / 2 + 1e-9)
            return angle + ((low - angle) / 360).rounded(.up) * 360 <= high
        }
    }

    public enum Motion: Hashable, Sendable, Codable {
        /// At rest at an angle psi, degrees.
        case atRest(psi: Double)
        case turning(Turn)
    }

    public var alignment: CrystalAlignment
    public var motion: Motion
    /// (h, k, l) of one unit along the image's axes.
    public var u: [Double]
    public var v: [Double]
    public var w: [Double]

    public init(
        alignment: CrystalAlignment, motion: Motion, u: [Double] = [1, 0, 0], v: [Double] = [0, 1, 0],
        w: [Double] = [0, 0, 1]
    ) {
        self.alignment = alignment
        self.motion = motion
        self.u = u
        self.v = v
        self.w = w
    }

    /// The middle of the range of w; 0 at rest.
    var middle: Double {
        guard case .turning(let turn) = motion else { return 0 }
        return (turn.w.lowerBound + turn.w.upperBound) / 2
    }

    /// - Parameter lattice: a, b, c in Å.
    func validate(lattice: [Double]) throws(InstrumentError) {
        try alignment.validate(lattice: lattice)
        guard [u, v, w].allSatisfy({ $0.count == 3 && $0.allSatisfy(\.isFinite) }) else {
            throw .invalid("the projection", problem: "needs u, v and w as three numbers (h, k, l) each")
        }
        let axes = Triad(
            x: CrystalAlignment.vector(u), y: CrystalAlignment.vector(v), z: CrystalAlignment.vector(w))
        guard axes.x.norm > 0, axes.y.norm > 0, axes.z.norm > 0,
            abs(axes.determinant) > 1e-6 * axes.x.norm * axes.y.norm * axes.z.norm
        else { throw .invalid("the projection", problem: "needs vectors u, v, w that do not lie in one plane") }
        switch motion {
        case .atRest(let psi):
            guard psi.isFinite else { throw .invalid("psi", problem: "must be a finite angle") }
        case .turning(let turn):
            guard turn.psi.lowerBound.isFinite, turn.psi.upperBound.isFinite, turn.step >= 0, turn.step.isFinite else {
                throw .invalid("the rotation", problem: "needs finite angles and a step of 0 or more")
            }
            guard turn.w.lowerBound < turn.w.upperBound, turn.w.lowerBound.isFinite, turn.w.upperBound.isFinite,
                turn.layers > 0
            else { throw .invalid("the range of w", problem: "must rise, and have one layer or more") }
        }
    }
}
