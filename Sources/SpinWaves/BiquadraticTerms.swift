import Compute

/// The second derivatives of (S_i·S_j)² at the ordered structure, for B = 1.
///
/// With X = S_i·S_j = X₀ + X₁ + X₂ by orders in the deviations, X² = X₀² + 2X₀X₁ + (2X₀X₂ + X₁²). The first bracketed term is
/// a Heisenberg exchange of 2X₀ = 2S_iS_j n_i·n_j. The second is the square of
///
///     X₁ = c_i a_i + c_j a_j + h.c.,   c_i = S_j √(S_i/2) (ū_i·n_j),   c_j = S_i √(S_j/2) (n_i·ū_j)
///
/// which gives A_ii ← 2|c_i|², B_ii ← 2 c̄_i², A_ij ← 2 c̄_i c_j, B_ij ← 2 c̄_i c̄_j and is zero between collinear spins: there a
/// biquadratic exchange B is in linear theory the bilinear J = 2B X₀.
struct BiquadraticTerms {
    var normal, anomalous: Complex
    var fromShift, toShift: Double
    var from, to: (normal: Double, anomalous: Complex)

    /// - Parameter turn: between the frames of the two sites' cells.
    init(spins: (Double, Double), frames: (LocalFrame, LocalFrame), turn: Matrix3) {
        let (a, b) = frames
        let along = dot(a.n, turn * b.n)
        let heisenberg = 2 * spins.0 * spins.1 * along
        let half = 0.5 * (spins.0 * spins.1).squareRoot() * heisenberg
        let (far, near) = (turn * b.n, turn.transposed * a.n)
        func across(_ u: LocalFrame, _ n: Vector3) -> Complex {
            // Of the size of rounding between collinear spins, whose Hamiltonian must stay as sparse as it is.
            let (x, y) = (dot(u.e1, n), dot(u.e2, n))
            return Complex(abs(x) < 1e-14 ? 0 : x, abs(y) < 1e-14 ? 0 : -y)
        }
        let ci = spins.1 * (spins.0 / 2).squareRoot() * across(a, far)
        let cj = spins.0 * (spins.1 / 2).squareRoot() * across(b, near)
        normal = half * bilinear(a, turn, b, conjugate: true) + 2 * (ci.conjugate * cj)
        anomalous = half * bilinear(a, turn, b, conjugate: false) + 2 * (ci.conjugate * cj.conjugate)
        fromShift = -spins.1 * heisenberg * along
        toShift = -spins.0 * heisenberg * along
        from = (2 * ci.squaredMagnitude, 2 * (ci.conjugate * ci.conjugate))
        to = (2 * cj.squaredMagnitude, 2 * (cj.conjugate * cj.conjugate))
    }
}
