/// Exchange, anisotropy and g of all equivalent bonds and sites from those of one.
extension Crystal {
    /// The exchange matrices that symmetry allows on a bond, for S_iᵀ J S_j with i its `from` and j its `to`.
    public func allowedExchange(on bond: BondPlace) -> AllowedTensor {
        AllowedTensor(
            invariances: bondSymmetry(bond).map {
                .init(rotation: spinRotations[$0.operation], transposes: $0.isReversed)
            },
            isSymmetric: false)
    }

    /// The single-ion tensors that symmetry allows on a site.
    public func allowedAnisotropy(at site: Int) -> AllowedTensor {
        AllowedTensor(
            invariances: siteSymmetry(site).map { .init(rotation: spinRotations[$0], transposes: false) },
            isSymmetric: true)
    }

    /// The bonds of a shell with the exchange that follows from that of one of them.
    ///
    /// The image of J under an operation whose spin matrix is R is R J Rᵀ, transposed where the image is written from its
    /// other end. What J misses of the symmetry by rounding is taken out.
    /// - Parameters:
    ///   - exchange: J of `bond` as it is written, from `from` to `to`.
    ///   - bond: any bond of the shell.
    /// - Throws: `.noSuchBond`; `.forbidden` with the allowed shape, when a term of J breaks the symmetry.
    public func bonds(exchange: ParametricMatrix, on bond: BondPlace) throws(CrystalError) -> [Bond] {
        try check(bond)
        let fitted = try fit(exchange, to: allowedExchange(on: bond), "the exchange on \(name(of: bond))")
        return shell(of: bond).bonds.map { image in
            let rotation = spinRotations[image.operation]
            let terms = fitted.terms.map { term in
                let moved = rotation * term.matrix * rotation.transposed
                return ParametricMatrix.Term(term.parameter, (image.isReversed ? moved.transposed : moved).cleaned)
            }
            return Bond(
                from: image.place.from, to: image.place.to, offset: image.place.offset,
                exchange: ParametricMatrix(terms))
        }
    }

    /// The anisotropies of all sites equivalent to one, R A Rᵀ, in the order of sites.
    ///
    /// - Throws: `.forbidden` with the allowed shape, when a term breaks the symmetry of the site.
    public func anisotropies(_ tensor: ParametricMatrix, at site: Int) throws(CrystalError) -> [Anisotropy] {
        let fitted = try fit(tensor, to: allowedAnisotropy(at: site), "the anisotropy of site \(sites[site].label)")
        return rotations(from: site).map { target, rotation in
            let terms = fitted.terms.map { term in
                ParametricMatrix.Term(term.parameter, (rotation * term.matrix * rotation.transposed).cleaned)
            }
            return Anisotropy(site: target, tensor: ParametricMatrix(terms))
        }
    }

    /// The g-tensors of all sites equivalent to one, in the order of sites.
    ///
    /// - Throws: `.forbidden` with the allowed shape.
    public func gTensors(_ g: Matrix3, at site: Int) throws(CrystalError) -> [(site: Int, g: Matrix3)] {
        let fitted = try fit(.constant(g), to: allowedAnisotropy(at: site), "g of site \(sites[site].label)")
        let matrix = fitted.terms[0].matrix
        return rotations(from: site).map { ($0, ($1 * matrix * $1.transposed).cleaned) }
    }

    /// The moments (or spins) of all sites equivalent to one under a magnetic space group, in the order of sites.
    ///
    /// - Throws: `.momentBreaksSymmetry` when an operation that keeps the site turns the moment by more than 2 % of it, which
    ///   the digits of a file may miss.
    public func moments(_ moment: Vector3, at site: Int) throws(CrystalError) -> [(site: Int, moment: Vector3)] {
        let kept = siteSymmetry(site)
        for operation in kept where (spinRotations[operation] * moment - moment).length > 0.02 * moment.length {
            throw .momentBreaksSymmetry(
                site: sites[site].label, operation: spaceGroup.operators[operation].description)
        }
        let mean = (1 / Double(kept.count)) * kept.reduce(Vector3.zero) { $0 + spinRotations[$1] * moment }
        return rotations(from: site).map { ($0, $1 * mean) }
    }

    /// `Mn1-1–Mn1-2 [0 0 1]`: the ends of a bond and the cell of the second.
    public func name(of bond: BondPlace) -> String {
        let ends = "\(sites[bond.from].label)–\(sites[bond.to].label)"
        return bond.offset == .zero ? ends : ends + " [\(bond.offset.x) \(bond.offset.y) \(bond.offset.z)]"
    }

    /// For each site equivalent to one, itself first where it comes first: the matrix that turns its spin there.
    private func rotations(from site: Int) -> [(site: Int, rotation: Matrix3)] {
        sites(ofOrbit: sites[site].orbit).compactMap { target in
            images.indices.first { images[$0][site].site == target }.map { (target, spinRotations[$0]) }
        }
    }

    private func fit(
        _ tensor: ParametricMatrix, to allowed: AllowedTensor, _ what: String
    ) throws(CrystalError) -> ParametricMatrix {
        for term in tensor.terms where !allowed.contains(term.matrix) {
            let part = term.parameter.map { " with \($0)" } ?? ""
            throw .forbidden(what: what + part, allowed: allowed.description)
        }
        return ParametricMatrix(
            tensor.terms.map { term in
                // What has the symmetry keeps its bits.
                let projection = allowed.projection(of: term.matrix)
                let isSame = (projection - term.matrix).largest <= 1e-13 * term.matrix.largest
                return .init(term.parameter, isSame ? term.matrix : projection)
            })
    }

    private func check(_ bond: BondPlace) throws(CrystalError) {
        guard sites.indices.contains(bond.from), sites.indices.contains(bond.to) else {
            throw .noSuchBond("a bond goes to a site that the crystal does not have")
        }
        guard bond.from != bond.to || bond.offset != .zero else {
            throw .noSuchBond("a bond ties site \(sites[bond.from].label) to itself")
        }
    }
}

extension Matrix3 {
    /// The same with entries below 1e-12 of the largest set to zero, and whole ones made whole.
    var cleaned: Matrix3 {
        func clean(_ v: Vector3) -> Vector3 {
            var result = v
            for k in 0..<3 {
                let whole = v[k].rounded()
                if abs(v[k] - whole) < 1e-12 * largest { result[k] = whole + 0 }
                if abs(v[k]) < 1e-12 * largest { result[k] = 0 }
            }
            return result
        }
        return Matrix3(rows: clean(x), clean(y), clean(z))
    }
}
