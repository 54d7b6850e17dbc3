extension SpinModel {
    /// The same magnet in a cell of `cells` of its own along a, b and c, in which spins that were the same can differ.
    ///
    /// A spiral that repeats within the new cell is written out there.
    ///
    /// - Throws: `.model` when a spiral does not repeat, or for too many cells.
    public func repeated(_ cells: SIMD3<Int>) throws(SpinWaveError) -> SpinModel {
        let whole = try Supercell(
            cells: cells, order: .spiral(spiral ?? SpinSpiral(k: .zero, normal: Vector3(0, 0, 1))), lattice: lattice,
            sites: sites, bonds: bonds, anisotropies: anisotropies)
        return try SpinModel(
            lattice: whole.lattice, sites: whole.sites, parameters: parameters, bonds: whole.bonds,
            anisotropies: whole.anisotropies, field: field, twins: twins, formFactors: formFactors,
            isDipolar: isDipolar)
    }

    /// The same magnet with other ordered spins.
    ///
    /// - Parameter directions: one a site, in the origin cell.
    /// - Parameter spiral: how they turn from cell to cell; nil makes all cells alike, whatever the model had.
    /// - Throws: `.model` when a spiral does not suit the interactions.
    public func ordered(
        _ directions: [Vector3], spiral: SpinSpiral? = nil
    ) throws(SpinWaveError) -> SpinModel {
        precondition(directions.count == sites.count, "every site has a direction")
        var sites = sites
        for i in sites.indices { sites[i].direction = directions[i] }
        return try SpinModel(
            lattice: lattice, sites: sites, parameters: parameters, bonds: bonds, anisotropies: anisotropies,
            field: field, twins: twins, formFactors: formFactors, spiral: spiral, isDipolar: isDipolar)
    }
}
