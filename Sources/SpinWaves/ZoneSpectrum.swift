import Tensors

/// Every magnon of a model on a regular grid of its magnetic reciprocal cell.
///
/// All energies repeat with that cell, so this is the whole spectrum; the structure factor at any Q of the zone's
/// images follows from the amplitudes and the sites' positions.
public struct ZoneSpectrum: Sendable {
    public let grid: ZoneGrid
    /// meV, ascending at each point; shape [points, modes]. NaN at unstable points.
    public let energies: Tensor<Double>
    /// W as interleaved real and imaginary parts; shape [points, modes, sites, 2 components, 2]. See `StructureFactor`.
    ///
    /// Zero at unstable points and for modes at an antiferromagnet's Goldstone point, where intensity diverges like
    /// 1/ω: the divergence can be integrated in two and three dimensions and a single point carries no weight.
    public let amplitudes: Tensor<Float>
    /// dω/dq along a*, b*, c* in meV per r.l.u.; shape [points, modes, 3]. Zero at unstable and Goldstone points.
    public let velocities: Tensor<Float>
    /// How many grid points are not positive definite.
    public let unstablePoints: Int
    /// The first of them, and the one with the lowest eigenvalue.
    public let firstInstability: Instability?
    public let worstInstability: Instability?
    /// How many modes were left dark because their intensity diverges.
    public let divergingModes: Int

    public var isStable: Bool { unstablePoints == 0 }
    public var modeCount: Int { energies.shape[1] }
}

/// What to do where the assumed structure is not stable.
public enum InstabilityPolicy: Sendable {
    /// Throw `SpinWaveError.unstable` with the worst point.
    case fail
    /// Keep the spectrum, with NaN energies and no amplitudes there.
    case keep
}

/// Whether a structure is stable on a grid.
public struct Stability: Hashable, Sendable {
    public var points: Int
    public var unstablePoints: Int
    /// In r.l.u. of the magnetic cell.
    public var firstUnstable: Vector3?

    public var isStable: Bool { unstablePoints == 0 }
    public var unstableFraction: Double { Double(unstablePoints) / Double(points) }
}
