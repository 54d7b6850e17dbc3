import CKernels
import Tensors

/// The only place of this module that hands pointers to C.
extension DetectorImage {
    /// Fills `image` by the kernel `sw_detector_image`; returns the instruction set used, 0 where
    /// the machine lacks it, −1 for modes that are not finite.
    func fill(_ image: inout [Float], with modes: ZoneModes, level: Int32, cells: Cells) -> Int32 {
        withProblem(modes, cells) { problem in
            modes.energies.elements.withUnsafeBufferPointer { energies in
                modes.velocities.elements.withUnsafeBufferPointer { velocities in
                    modes.amplitudes.elements.withUnsafeBufferPointer { amplitudes in
                        problem.energies = energies.baseAddress
                        problem.velocities = velocities.baseAddress
                        problem.amplitudes = amplitudes.baseAddress
                        return Self.call(&problem, &image, level)
                    }
                }
            }
        }
    }

    /// Calls `body` with the problem, but for the modes themselves; its addresses hold meanwhile.
    func withProblem<T>(
        _ modes: ZoneModes, _ cells: Cells = Cells(), _ body: (inout sw_image_problem) throws -> T
    ) rethrows -> T {
        let spread = spreadOnImage(of: modes) * cells.variance
        // Beyond 5.3 standard deviations the kernel's normal distribution ends.
        let widest = settings.reduce(into: (h: 0.0, k: 0.0)) {
            $0 = (max($0.h, $1.largestSigma.h), max($0.k, $1.largestSigma.k))
        }
        let margin = (
            h: 5.3 * (widest.h * widest.h + spread.x).squareRoot(),
            k: 5.3 * (widest.k * widest.k + spread.y).squareRoot()
        )
        let range = ownRange(margin: margin)

        let (sites, groups) = Self.grouped(modes.sites)
        let maps = twins.map { sw_image_twin(map: imageMap(of: $0)) }
        let formFactors = modes.formFactors.flatMap(\.coefficients)

        return try withTables { tables in
            try tables.withUnsafeBufferPointer { tables in
                try maps.withUnsafeBufferPointer { maps in
                    try sites.withUnsafeBufferPointer { sites in
                        try groups.withUnsafeBufferPointer { groups in
                            try formFactors.withUnsafeBufferPointer { formFactors in
                                var problem = sw_image_problem()
                                describe(&problem, range, modes, cells)
                                problem.settings = tables.baseAddress
                                problem.twin_count = Int64(maps.count)
                                problem.twins = maps.baseAddress
                                problem.site_count = Int64(sites.count)
                                problem.sites = sites.baseAddress
                                problem.group_count = Int64(groups.count)
                                problem.groups = groups.baseAddress
                                problem.form_factors = formFactors.baseAddress
                                return try body(&problem)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Sites that share ion and z share form factor and phase along l.
    private static func grouped(_ sites: [ZoneModes.Site]) -> (sites: [sw_image_site], groups: [sw_image_group]) {
        var groups: [sw_image_group] = []
        let sites = sites.map { site in
            let z = site.position.z
            let group: Int
            if let known = groups.firstIndex(where: { $0.ion == Int64(site.ion) && $0.z == z }) {
                group = known
            } else {
                group = groups.count
                groups.append(sw_image_group(ion: Int64(site.ion), z: z))
            }
            let (e, f, r) = (site.frame[0], site.frame[1], site.position)
            return sw_image_site(
                position: (r.x, r.y, r.z), frame: (e.x, e.y, e.z, f.x, f.y, f.z), group: Int64(group))
        }
        return (sites, groups)
    }

    private static func call(_ problem: inout sw_image_problem, _ image: inout [Float], _ level: Int32) -> Int32 {
        let size = Int(sw_detector_image_scratch(&problem))
        return withUnsafeMutablePointer(to: &problem) { problem in
            let scratch = UnsafeMutablePointer<Double>.allocate(capacity: size)
            defer { scratch.deallocate() }
            return image.withUnsafeMutableBufferPointer {
                sw_detector_image_at_level(problem, scratch, $0.baseAddress, level)
            }
        }
    }

    /// The numbers of the problem that are not arrays.
    private func describe(
        _ problem: inout sw_image_problem, _ range: (h: ClosedRange<Double>, k: ClosedRange<Double>),
        _ modes: ZoneModes,
        _ cells: Cells
    ) {
        problem.setting_count = Int64(settings.count)
        problem.bin_count = Int64(geometry.energyBins.count)
        (problem.h_count, problem.k_count) = (Int64(geometry.h.count), Int64(geometry.k.count))
        (problem.h_edge, problem.h_step) = (geometry.h.lowerEdge, geometry.h.step)
        (problem.k_edge, problem.k_step) = (geometry.k.lowerEdge, geometry.k.step)
        let turn = 2 * Double.pi
        let cell = zip(geometry.lattice, geometry.magneticScale).map { $0 * $1 }
        problem.reciprocal = (turn / cell[0], turn / cell[1], turn / cell[2])
        problem.scale = (geometry.magneticScale[0], geometry.magneticScale[1])
        problem.h_range = (range.h.lowerBound, range.h.upperBound)
        problem.k_range = (range.k.lowerBound, range.k.upperBound)
        (problem.n1, problem.n2, problem.n3) = (Int64(modes.grid[0]), Int64(modes.grid[1]), Int64(modes.grid[2]))
        problem.mode_count = Int64(modes.energies.shape[1])
        problem.use_flux_ratio = options.fluxRatio ? 1 : 0
        problem.thermal_energy = options.temperature * Neutron.boltzmann
        problem.weight = cellWeight(of: modes)
        (problem.cell_variance, problem.finest) = (cells.variance, cells.finest)
        if case .rotation(let l, let layers) = geometry.scan {
            problem.layer_count = Int64(layers)
            problem.layer_low = l.lowerBound * geometry.magneticScale[2]
            problem.layer_high = l.upperBound * geometry.magneticScale[2]
        }
    }

    /// Calls `body` with the settings, whose tables stay in place meanwhile.
    func withTables<T>(_ body: ([sw_image_setting]) throws -> T) rethrows -> T {
        func pin(_ index: Int, _ done: [sw_image_setting]) throws -> T {
            if index == settings.count { return try body(done) }
            let prepared = settings[index]
            let grid = prepared.grid
            return try prepared.table.withUnsafeBufferPointer { table in
                let energy = geometry.settings[index].incidentEnergy
                let setting = sw_image_setting(
                    incident_energy: energy, incident_wavevector: Neutron.wavevector(energy: energy),
                    first_bin_edge: geometry.firstBinEdge(setting: index), bin_width: geometry.binWidth(setting: index),
                    table: table.baseAddress, table_h: Int64(grid.h.count), table_k: Int64(grid.k.count),
                    table_energy: Int64(grid.energy.count), h_origin: grid.h.origin, h_per_step: 1 / grid.h.step,
                    k_origin: grid.k.origin, k_per_step: 1 / grid.k.step, energy_origin: grid.energy.origin,
                    energy_per_step: 1 / grid.energy.step, largest_sigma_h: prepared.largestSigma.h,
                    largest_sigma_k: prepared.largestSigma.k, largest_sigma_energy: prepared.largestSigma.energy,
                    merge_width: prepared.mergeWidth, output_factor: 1 / energyDivisor(setting: index))
                return try pin(index + 1, done + [setting])
            }
        }
        return try pin(0, [])
    }
}
