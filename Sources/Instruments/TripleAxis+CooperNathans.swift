import Foundation

extension TripleAxis {
    /// The resolution of Cooper and Nathans (Acta Cryst. 23 (1967) 357), as a covariance in the manner of Popovici (Acta
    /// Cryst. A 31 (1975) 507), with the sample's mosaic of Werner and Pynn (J. Appl. Phys. 42 (1971) 4736).
    ///
    /// With γ the horizontal and δ the vertical angles of flight against the nominal one, in the four collimators α and β:
    ///
    ///     weight = exp −½ (γ0²/α0² + γ1²/α1² + (γ0 + γ1)²/4η² + δ0²/β0² + δ1²/β1² + (δ0 − δ1)²/(2 η' sin θ)²)
    ///     Δki∥ = ki (γ0 − γ1) / (2 tan θ),   Δki⊥ = ki γ1,   Δkiz = ki δ1
    ///
    /// and likewise behind the sample. The curvature of crystals, sizes and distances do not enter.
    ///
    /// - Parameter incidentEnergy: meV; final energy, meV; `momentum`, |Q|, 1/Å.
    /// - Throws: where a crystal cannot reflect the energy, or ki, kf and Q do not make a triangle.
    public func resolution(incidentEnergy: Double, finalEnergy: Double, momentum q: Double) throws(InstrumentError)
        -> TripleAxisResolution
    {
        try validate()
        guard incidentEnergy > 0, finalEnergy > 0 else {
            throw .invalid("the energies", problem: "must be positive")
        }
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let kf = Neutron.wavevector(energy: finalEnergy)
        let cosine = (ki * ki + kf * kf - q * q) / (2 * ki * kf)
        guard q > 0, abs(cosine) < 1 else {
            throw .invalid(
                "|Q| = \(InstrumentError.short(q)) 1/Å",
                problem: "makes no triangle with these incident and final energies")
        }
        let before = try Self.arm(
            monochromator, k: ki, sense: senses[0], collimation: (collimation[0], collimation[1]),
            vertical: (verticalCollimation[0], verticalCollimation[1]), isBefore: true, "the monochromator")
        let after = try Self.arm(
            analyser, k: kf, sense: senses[2], collimation: (collimation[2], collimation[3]),
            vertical: (verticalCollimation[2], verticalCollimation[3]), isBefore: false, "the analyser")

        // Q = ki − kf lies at the angle φ from ki, and kf at 2θ.
        let angle = Double(senses[1].rawValue) * acos(cosine)
        let phi = atan2(-kf * sin(angle), ki - kf * cos(angle))
        let c = 2 * Neutron.energyPerWavevectorSquared
        // Rows Q∥, Q⊥, Qz, E; columns ki∥, ki⊥, kiz, kf∥, kf⊥, kfz.
        let turn: [[Double]] = [
            [cos(phi), sin(phi), 0, -cos(phi - angle), -sin(phi - angle), 0],
            [-sin(phi), cos(phi), 0, sin(phi - angle), -cos(phi - angle), 0],
            [0, 0, 1, 0, 0, -1],
            [c * ki, 0, 0, -c * kf, 0, 0],
        ]
        var covariance = [Double](repeating: 0, count: 16)
        for a in 0..<4 {
            for b in 0..<4 {
                for (offset, arm) in [(0, before), (3, after)] {
                    let (u, v) = (turn[a][offset...], turn[b][offset...])
                    let (u0, u1, u2) = (u[offset], u[offset + 1], u[offset + 2])
                    let (v0, v1, v2) = (v[offset], v[offset + 1], v[offset + 2])
                    covariance[a * 4 + b] +=
                        u0 * v0 * arm.along + (u0 * v1 + u1 * v0) * arm.mixed + u1 * v1 * arm.across
                        + u2 * v2 * arm.up
                }
            }
        }
        covariance[5] += pow(q * Self.sigma(sampleMosaic), 2)
        covariance[10] += pow(q * Self.sigma(verticalSampleMosaic), 2)
        return TripleAxisResolution(covariance: covariance, matrix: Self.inverse(covariance))
    }

    /// Covariance of one wavevector: along it, across in the plane, up, 1/Å².
    private struct Arm {
        var along, mixed, across, up: Double
    }

    private static func arm(
        _ crystal: Crystal, k: Double, sense: Sense, collimation: (Double, Double), vertical: (Double, Double),
        isBefore: Bool, _ name: String
    ) throws(InstrumentError) -> Arm {
        let sine = Double.pi / (crystal.spacing * k)
        guard sine < 1 else {
            throw .invalid(
                name, problem: "cannot reflect \(InstrumentError.short(k)) 1/Å: 2d is shorter than the wavelength")
        }
        let half = k / (2 * tan(Double(sense.rawValue) * asin(sine)))
        // Weights of the two angles, first and second along the flight, and their covariance.
        let tilt = 1 / (4 * pow(sigma(crystal.mosaic), 2))
        let flat = pair(
            1 / pow(sigma(collimation.0), 2) + tilt, tilt, 1 / pow(sigma(collimation.1), 2) + tilt)
        let lean = 1 / pow(2 * sine * sigma(crystal.verticalMosaic), 2)
        let upright = pair(1 / pow(sigma(vertical.0), 2) + lean, -lean, 1 / pow(sigma(vertical.1), 2) + lean)
        // The sample sees the second angle of the first arm and the first of the second.
        let seen = isBefore ? (flat.both - flat.second, flat.second) : (flat.first - flat.both, flat.first)
        return Arm(
            along: half * half * (flat.first - 2 * flat.both + flat.second), mixed: half * k * seen.0,
            across: k * k * seen.1, up: k * k * (isBefore ? upright.second : upright.first))
    }

    /// The inverse of a symmetric 2×2 matrix.
    private static func pair(_ a: Double, _ b: Double, _ d: Double) -> (first: Double, both: Double, second: Double) {
        let determinant = a * d - b * b
        return (d / determinant, -b / determinant, a / determinant)
    }

    /// Standard deviation in radians of a FWHM in degrees.
    private static func sigma(_ degrees: Double) -> Double { degrees * Double.pi / 180 / Neutron.fwhmPerSigma }

    /// By Gauss and Jordan; a positive definite matrix needs no exchange of rows.
    private static func inverse(_ matrix: [Double]) -> [Double] {
        var (left, right) = (matrix, [Double](repeating: 0, count: 16))
        for n in 0..<4 { right[n * 5] = 1 }
        for n in 0..<4 {
            let pivot = left[n * 5]
            for column in 0..<4 {
                left[n * 4 + column] /= pivot
                right[n * 4 + column] /= pivot
            }
            for row in 0..<4 where row != n {
                let factor = left[row * 4 + n]
                for column in 0..<4 {
                    left[row * 4 + column] -= factor * left[n * 4 + column]
                    right[row * 4 + column] -= factor * right[n * 4 + column]
                }
            }
        }
        return right
    }
}
