import Diagnostics
import GraphLanguage
import SpinWaves

/// Propagation vectors: spirals, and commensurate structures written out in a supercell.
extension ModelReader {
    /// What stands under `structure`.
    struct Structure {
        var k: Vector3
        /// nil for a wave, whose sites have imaginary parts.
        var normal: Vector3?
        /// nil for a spiral in its turning frame.
        var cells: SIMD3<Int>?
    }

    mutating func readStructure() -> Structure? {
        guard let section = file["structure"] else {
            reportImaginary("a site's 'imaginary' needs a 'structure' with k and a supercell")
            return nil
        }
        places[.structure] = section.range
        guard section.entries != nil else {
            report("'structure' is a mapping such as {k: [1/3, 1/3, 0], normal: z}", at: section.range)
            return nil
        }
        checkKeys(section, ["k", "normal", "supercell", "about"], of: "a structure")
        let k = required("k", in: section, of: "a structure").flatMap { vector($0, "the propagation vector k") }
        var normal: Vector3?
        if let written = section["normal"] {
            normal = direction(written, "the normal of a structure")
            if normal == nil { return nil }
        }
        var cells: SIMD3<Int>?
        if let written = section["supercell"] {
            let whole = (written.items ?? []).compactMap { $0.text.flatMap { Int($0) } }
            guard whole.count == 3, written.items?.count == 3 else {
                report("'supercell' is three whole numbers of cells, such as [2, 2, 1]", at: written.range)
                return nil
            }
            cells = SIMD3(whole[0], whole[1], whole[2])
        } else if normal == nil {
            report(
                "this structure has neither a normal nor a supercell", at: section.range,
                hint: "a normal makes a spiral, whose spins turn about it; a supercell holds a commensurate structure")
            return nil
        }
        if cells == nil || normal != nil {
            reportImaginary(
                "'imaginary' is for structures in a supercell without a normal",
                hint: "with a normal, the direction and the turns say all")
        }
        return k.map { Structure(k: $0, normal: normal, cells: cells) }
    }

    private mutating func reportImaginary(_ message: String, hint: String? = nil) {
        for index in imaginary.keys.sorted() {
            if let written = imaginary[index]?.written { report(message, at: written.range, hint: hint) }
        }
    }

    /// Notes a site's imaginary part, for `readStructure`.
    mutating func noteImaginary(_ item: Located, _ index: Int, _ name: String) {
        guard let written = item["imaginary"], let value = vector(written, "the imaginary part of \(name)") else {
            return
        }
        imaginary[index] = (value, written)
    }

    /// Puts the structure into a draft: as a spiral, or by writing out the supercell.
    mutating func apply(_ structure: Structure, to draft: inout Draft) {
        let spiral = structure.normal.map { SpinSpiral(k: structure.k, normal: $0) }
        guard let cells = structure.cells else {
            draft.spiral = spiral
            return
        }
        let parts = draft.sites.indices.map { imaginary[$0]?.value ?? .zero }
        let order: Supercell.Order = spiral.map { .spiral($0) } ?? .wave(k: structure.k, imaginary: parts)
        do {
            let whole = try Supercell(
                cells: cells, order: order, lattice: draft.lattice, sites: draft.sites, bonds: draft.bonds,
                anisotropies: draft.anisotropies)
            copyPlaces(draft, to: whole)
            draft.lattice = whole.lattice
            draft.sites = whole.sites
            draft.bonds = whole.bonds
            draft.anisotropies = whole.anisotropies
        } catch {
            guard case .model(let problems) = error else { return report(error.description, at: file.range) }
            for problem in problems {
                report(problem.message, at: places[problem.part] ?? file.range, hint: problem.hint)
            }
        }
    }

    /// Every copy was written where its original was.
    private mutating func copyPlaces(_ draft: Draft, to whole: Supercell) {
        for i in whole.sites.indices { places[.site(i)] = places[.site(i % draft.sites.count)] }
        for i in whole.bonds.indices { places[.bond(i)] = places[.bond(i % draft.bonds.count)] }
        for i in whole.anisotropies.indices {
            places[.anisotropy(i)] = places[.anisotropy(i % draft.anisotropies.count)]
        }
    }
}
