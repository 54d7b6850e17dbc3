import Artifacts
import SpinWaves
import Tensors

/// All magnons of one parameter set over a reciprocal cell, with what the structure factor needs of the crystal: what
/// flows along `spectrum` edges.
struct SpinWaveSpectrum: Sendable {
    var grid: ZoneGrid
    /// meV, [points, modes]; NaN where the structure is unstable.
    var energies: Tensor<Double>
    /// meV per r.l.u., [points, modes, 3]
    var velocities: Tensor<Float>
    /// [points, modes, sites, 2, 2]
    var amplitudes: Tensor<Float>
    var crystal: Crystal
    var isUnstable: Bool

    /// What does not depend on the parameters.
    struct Crystal: Sendable {
        /// a, b, c (ångström), alpha, beta, gamma (degrees).
        var lattice: [Double]
        /// Unwrapped, fractional, [sites, 3].
        var positions: Tensor<Double>
        /// e1 and e2 of each site, Cartesian, [sites, 2, 3].
        var axes: Tensor<Double>
        /// ⟨j0⟩ coefficients A a B b C c D of each ion.
        var formFactors: [[Double]]
        var ionOfSite: [Int]
        /// Cartesian matrix by rows, volume fraction.
        var twins: [(matrix: [Double], fraction: Double)]
    }

    /// - Parameter isReal: H(−q) = H(q)*, so that half of the zone is kept and the other half follows.
    func value(isReal: Bool) -> Value {
        func kept<E>(_ full: Tensor<E>) -> Tensor<E> { isReal ? ZoneSpectrum.halved(full, of: grid) : full }
        return .record([
            "grid": .list(grid.divisions.map { .int($0) }), "half": .bool(isReal),
            "energies": .tensor(.float64(kept(energies))), "velocities": .tensor(.float32(kept(velocities))),
            "amplitudes": .tensor(.float32(kept(amplitudes))), "unstable": .bool(isUnstable),
            "crystal": crystal.value,
        ])
    }

    init(_ value: Value) throws {
        let grid = try ZoneGrid(value.list("grid").map { try $0.asInt() })
        let half = try value.bool("half")
        let energies = try value.tensor("energies").asFloat64
        let velocities = try value.tensor("velocities").asFloat32
        let amplitudes = try value.tensor("amplitudes").asFloat32
        self.grid = grid
        self.energies = half ? ZoneSpectrum.unfolded(energies, of: grid, signs: [1]) : energies
        self.velocities = half ? ZoneSpectrum.unfolded(velocities, of: grid, signs: [-1]) : velocities
        self.amplitudes = half ? ZoneSpectrum.unfolded(amplitudes, of: grid, signs: [1, -1, -1, 1]) : amplitudes
        isUnstable = try value.bool("unstable")
        crystal = try Crystal(value.field("crystal"))
    }

    init(_ spectrum: ZoneSpectrum, crystal: Crystal, isUnstable: Bool) {
        grid = spectrum.grid
        energies = spectrum.energies
        velocities = spectrum.velocities
        amplitudes = spectrum.amplitudes
        self.crystal = crystal
        self.isUnstable = isUnstable
    }
}

extension SpinWaveSpectrum.Crystal {
    init(_ model: SpinModel) {
        let l = model.lattice
        lattice = [l.a, l.b, l.c, l.alpha, l.beta, l.gamma]
        func components(_ v: Vector3) -> [Double] { [v.x, v.y, v.z] }
        positions = Tensor(
            shape: [model.sites.count, 3], elements: model.unwrappedPositions.flatMap(components))
        axes = Tensor(
            shape: [model.sites.count, 2, 3],
            elements: model.frames.flatMap { components($0.e1) + components($0.e2) })
        formFactors = model.ions.map { model.formFactors[$0]?.j0.values ?? [0, 0, 0, 0, 0, 0, 1] }
        ionOfSite = model.ionOfSite
        twins = model.twins.map { twin in
            (components(twin.matrix.x) + components(twin.matrix.y) + components(twin.matrix.z), twin.fraction)
        }
    }

    init(_ value: Value) throws {
        lattice = try value.doubles("lattice")
        positions = try value.tensor("positions").asFloat64
        axes = try value.tensor("axes").asFloat64
        formFactors = try value.list("form-factors").map { try $0.asDoubles() }
        ionOfSite = try value.list("ion-of-site").map { try $0.asInt() }
        twins = try value.list("twins").map { (try $0.doubles("matrix"), try $0.double("fraction")) }
    }

    var value: Value {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        return .record([
            "lattice": doubles(lattice), "positions": .tensor(.float64(positions)), "axes": .tensor(.float64(axes)),
            "form-factors": .list(formFactors.map(doubles)), "ion-of-site": .list(ionOfSite.map { .int($0) }),
            "twins": .list(
                twins.map { .record(["matrix": doubles($0.matrix), "fraction": .double($0.fraction)]) }),
        ])
    }
}
