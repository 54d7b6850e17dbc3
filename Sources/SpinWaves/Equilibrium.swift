/// A spin structure that is no stationary point of the energy: a torque turns one of its spins.
public struct Disequilibrium: Hashable, Sendable, CustomStringConvertible {
    /// Label of the site with the largest torque.
    public var site: String
    /// |S × ∂E/∂S| in meV.
    public var torque: Double

    public var description: String {
        "the spin structure is not in equilibrium: a torque of \(String(shortest: torque)) meV turns the spin of site "
            + "'\(site)'"
    }

    public var hint: String {
        "linear spin-wave theory holds about a stationary structure only; relax the directions for these parameters"
    }
}

extension SpinModel {
    /// The largest torque, when it is too large for linear spin-wave theory to mean anything; nil in equilibrium.
    ///
    /// Too large: above 1e-3 of the mean energy that a site's bonds, anisotropy and field could give. Directions written
    /// with three digits pass, a spin that points the wrong way by a degree does not.
    public func disequilibrium(values: [Double]) throws(SpinWaveError) -> Disequilibrium? {
        let worst = try largestTorque(values: values)
        let byName = Dictionary(uniqueKeysWithValues: zip(parameterNames, values))
        func strength(_ name: String?) -> Double { abs(name.map { byName[$0] ?? 0 } ?? 1) }
        func size(_ m: ParametricMatrix) -> Double {
            m.terms.reduce(0) { $0 + strength($1.parameter) * $1.matrix.largest }
        }
        var scale = 0.0
        for bond in bonds {
            let product = sites[bond.from].spin * sites[bond.to].spin
            scale += 2 * size(bond.exchange) * product
            for term in bond.biquadratic.terms {
                scale += 2 * strength(term.parameter) * abs(term.factor) * product * product
            }
        }
        for anisotropy in anisotropies {
            scale += 2 * size(anisotropy.tensor) * sites[anisotropy.site].spin * sites[anisotropy.site].spin
        }
        for site in sites { scale += bohrMagneton * site.spin * (site.g.transposed * field).length }
        for (pair, matrix) in (couplings.longRange?.uniform ?? []).enumerated() {
            scale += matrix.largest * sites[pair / sites.count].spin * sites[pair % sites.count].spin
        }
        guard worst.torque > 1e-3 * scale / Double(sites.count) else { return nil }
        return Disequilibrium(site: sites[worst.site].label, torque: worst.torque)
    }
}
