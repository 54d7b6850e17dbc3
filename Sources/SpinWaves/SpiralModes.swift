import Compute

extension SpinSpiral {
    /// Where the modes seen at Q are in the turning frame: Q + k, Q, Q − k, for the harmonics −1, 0, 1.
    func wavevectors(at q: Vector3) -> [Vector3] { [q + k, q, q - k] }
}

extension Modes {
    /// The modes that neutrons see at Q, from those of the turning frame at Q + k, Q and Q − k.
    init(q: Vector3, merging parts: [Modes]) {
        var lines: [(part: Int, mode: Int)] = []
        for part in parts.indices { lines += parts[part].energies.indices.map { (part, $0) } }
        // Sorting by place, too, keeps the order the same wherever energies are equal.
        lines.sort {
            let (a, b) = (parts[$0.part].energies[$0.mode], parts[$1.part].energies[$1.mode])
            return (a, $0.part, $0.mode) < (b, $1.part, $1.mode)
        }
        let width = 2 * (parts.first?.siteCount ?? 0)
        self.init(
            q: q, energies: lines.map { parts[$0.part].energies[$0.mode] },
            amplitudes: lines.flatMap { parts[$0.part].amplitudes[$0.mode * width..<($0.mode + 1) * width] },
            velocities: lines.map { parts[$0.part].velocities[$0.mode] },
            diverges: lines.map { parts[$0.part].diverges[$0.mode] }, harmonics: lines.map { $0.part - 1 })
    }
}

extension ModeSolver {
    /// 3N modes. Where k or 2k is a vector of the reciprocal lattice, those that coincide share their intensity.
    mutating func spiralModes(_ spiral: SpinSpiral, at q: Vector3) throws(SpinWaveError) -> Modes {
        var parts: [Modes] = []
        for point in spiral.wavevectors(at: q) { parts.append(try frameModes(at: point)) }
        return Modes(q: q, merging: parts)
    }
}

/// What the transverse axes of a spiral's spins look like to neutrons.
///
/// The turn between cells has three harmonics, R(2π k·R) = e^{iφ} R₁ + e^{−iφ} R̄₁ + R₂ with R₁ = (1 − i n× − n nᵀ)/2 and
/// R₂ = n nᵀ, so that at Q the modes of the turning frame at Q − k are seen through R₁, those at Q + k through R̄₁ and those at Q
/// through R₂ (S. Toth and B. Lake, J. Phys.: Condens. Matter 27 (2015) 166002, section 4). An atom that is counted in
/// another cell c than its own brings the phase e^{±2πi k·c}. Harmonics that meet at one wavevector, because 2k is a
/// reciprocal lattice vector, interfere: their amplitudes are added, and the modes of each share the sum.
struct SpiralAxes: Sendable {
    typealias ComplexVector = (x: Complex, y: Complex, z: Complex)

    /// For each harmonic −1, 0, 1 and each site what W_1 and W_2 multiply.
    private let axes: [[(ComplexVector, ComplexVector)]]

    /// - Parameter axes: in the origin cell.
    /// - Parameter cells: in which each site is counted.
    init(_ spiral: SpinSpiral, axes: [(Vector3, Vector3)], cells: [SIMD3<Int>]) {
        let n = spiral.normal
        func projected(_ e: Vector3, _ harmonic: Int) -> ComplexVector {
            let along = dot(n, e) * n
            if harmonic == 0 { return (Complex(along.x), Complex(along.y), Complex(along.z)) }
            let (across, turned) = (0.5 * (e - along), -0.5 * Double(harmonic) * cross(n, e))
            return (Complex(across.x, turned.x), Complex(across.y, turned.y), Complex(across.z, turned.z))
        }
        let groups = spiral.harmonicGroups
        self.axes = [-1, 0, 1].map { harmonic in
            let group = groups.first { $0.contains(harmonic) } ?? [harmonic]
            let share = 1 / Double(group.count).squareRoot()
            return zip(axes, cells).map { pair, cell in
                func seen(_ e: Vector3) -> ComplexVector {
                    var sum: ComplexVector = (.zero, .zero, .zero)
                    for h in group {
                        let phase = share * Complex(turns: Double(h) * spiral.turns(over: cell))
                        let part = projected(e, h)
                        sum.x += phase * part.x
                        sum.y += phase * part.y
                        sum.z += phase * part.z
                    }
                    return sum
                }
                return (seen(pair.0), seen(pair.1))
            }
        }
    }

    func amplitude(_ modes: Modes, mode: Int, siteWeights: [Complex]) -> ComplexVector {
        let axes = axes[modes.harmonics[mode] + 1]
        var f: ComplexVector = (.zero, .zero, .zero)
        for i in axes.indices {
            let k = 2 * (mode * axes.count + i)
            let w1 = siteWeights[i] * modes.amplitudes[k]
            let w2 = siteWeights[i] * modes.amplitudes[k + 1]
            let (e1, e2) = axes[i]
            f.x += e1.x * w1 + e2.x * w2
            f.y += e1.y * w1 + e2.y * w2
            f.z += e1.z * w1 + e2.z * w2
        }
        return f
    }
}
