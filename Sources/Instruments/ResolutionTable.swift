/// Covariance of (h, k, E): r.l.u. of the image lattice and meV, variances and not widths.
public struct ResolutionCovariance: Hashable, Sendable {
    public var hh: Double
    public var hk: Double
    public var kk: Double
    public var hE: Double
    public var kE: Double
    public var EE: Double

    public init(hh: Double, hk: Double, kk: Double, hE: Double, kE: Double, EE: Double) {
        self.hh = hh
        self.hk = hk
        self.kk = kk
        self.hE = hE
        self.kE = kE
        self.EE = EE
    }

    /// hh, hk, kk, hE, kE, EE
    public var elements: [Double] { [hh, hk, kk, hE, kE, EE] }

    public var determinant: Double {
        hh * (kk * EE - kE * kE) - hk * (hk * EE - kE * hE) + hE * (hk * kE - kk * hE)
    }

    /// By leading minors (Sylvester).
    public var isPositiveDefinite: Bool { hh > 0 && hh * kk - hk * hk > 0 && determinant > 0 }

    /// Variance of E once h and k are known, meV².
    public var energyVarianceGivenPosition: Double { determinant / (hh * kk - hk * hk) }
}

/// Gaussian resolution of an image: for each incident energy, covariances of (h, k, E) on a regular grid.
public struct ResolutionTable: Hashable, Sendable {
    /// Evenly spaced values.
    public struct Axis: Hashable, Sendable {
        public var origin: Double
        public var step: Double
        public var count: Int

        public init(origin: Double, step: Double, count: Int) {
            self.origin = origin
            self.step = step
            self.count = count
        }

        public func value(_ index: Int) -> Double { origin + Double(index) * step }

        /// The interval below `x` and the fraction of the way through it; outside, the end counts.
        func place(_ x: Double) -> (Int, Double) {
            let y = min(max((x - origin) / step, 0), Double(count - 1))
            let i = Int(min(y, Double(count - 2)))
            return (i, y - Double(i))
        }
    }

    /// The covariances of one incident energy.
    public struct Grid: Hashable, Sendable {
        /// meV
        public let incidentEnergy: Double
        public let h: Axis
        public let k: Axis
        /// meV
        public let energy: Axis
        /// hh, hk, kk, hE, kE, EE for each [energy][k][h].
        public let covariances: [Double]

        public init(incidentEnergy: Double, h: Axis, k: Axis, energy: Axis, covariances: [Double])
            throws(InstrumentError)
        {
            for axis in [h, k, energy] where axis.count < 2 || !(axis.step > 0) {
                throw .invalid("a resolution grid", problem: "needs two or more ascending values along every axis")
            }
            let count = h.count * k.count * energy.count * 6
            guard covariances.count == count else {
                throw .shape(
                    "covariances", expected: [energy.count, k.count, h.count, 6], found: [covariances.count])
            }
            self.incidentEnergy = incidentEnergy
            self.h = h
            self.k = k
            self.energy = energy
            self.covariances = covariances
        }

        /// The covariance at a grid point.
        public func node(h i: Int, k j: Int, energy l: Int) -> ResolutionCovariance {
            let c = ((l * k.count + j) * h.count + i) * 6
            return ResolutionCovariance(
                hh: covariances[c], hk: covariances[c + 1], kk: covariances[c + 2], hE: covariances[c + 3],
                kE: covariances[c + 4], EE: covariances[c + 5])
        }

        /// Trilinear interpolation; beyond the grid, its edge.
        ///
        /// A weighted mean of positive definite matrices is positive definite.
        public func covariance(h: Double, k: Double, energy: Double) -> ResolutionCovariance {
            let (i, x) = self.h.place(h)
            let (j, y) = self.k.place(k)
            let (l, z) = self.energy.place(energy)
            var sum = ResolutionCovariance(hh: 0, hk: 0, kk: 0, hE: 0, kE: 0, EE: 0)
            func add(_ c: Int, _ b: Int, _ a: Int, _ wx: Double, _ wy: Double, _ wz: Double) {
                let corner = node(h: c, k: b, energy: a)
                sum.hh += corner.hh * wx * wy * wz
                sum.hk += corner.hk * wx * wy * wz
                sum.kk += corner.kk * wx * wy * wz
                sum.hE += corner.hE * wx * wy * wz
                sum.kE += corner.kE * wx * wy * wz
                sum.EE += corner.EE * wx * wy * wz
            }
            for upper in 0..<8 {
                let (a, b, c) = (upper >> 2, upper >> 1 & 1, upper & 1)
                add(i + c, j + b, l + a, c == 0 ? 1 - x : x, b == 0 ? 1 - y : y, a == 0 ? 1 - z : z)
            }
            return sum
        }
    }

    public let grids: [Grid]

    public init(grids: [Grid]) { self.grids = grids }

    /// The grid of an incident energy in meV, within 1e-6 relative.
    public func grid(incidentEnergy: Double) throws(InstrumentError) -> Grid {
        for grid in grids where abs(grid.incidentEnergy - incidentEnergy) <= 1e-6 * incidentEnergy { return grid }
        throw .noResolution(incidentEnergy: incidentEnergy, available: grids.map(\.incidentEnergy))
    }
}
