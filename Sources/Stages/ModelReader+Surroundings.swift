import Diagnostics
import Foundation
import GraphLanguage
import Quantities
import SpinWaves

/// Field, twins and form factors.
extension ModelReader {
    mutating func readField() -> Vector3 {
        guard let section = file["field"] else { return .zero }
        places[.field] = section.range
        guard let items = section.items, items.count == 3 else {
            report("'field' is a Cartesian vector with units, such as [0 T, 0 T, 5 T]", at: section.range)
            return .zero
        }
        let values = items.map { quantity($0, .field, "the field") ?? 0 }
        return Vector3(values[0], values[1], values[2])
    }

    mutating func readTwins() -> [Twin] {
        guard let section = file["twins"] else { return [] }
        places[.twins] = section.range
        guard let items = section.items, !items.isEmpty else {
            report(
                "'twins' must be a list, such as [{fraction: 0.5}, {fraction: 0.5, mirror: x<->y}]", at: section.range)
            return []
        }
        var twins: [Twin] = []
        for item in items {
            guard item.entries != nil else {
                report("a twin is a mapping such as {fraction: 0.5, mirror: x<->y}", at: item.range)
                continue
            }
            checkKeys(item, ["fraction", "mirror", "axis", "angle", "matrix", "about"], of: "a twin")
            let fraction = required("fraction", in: item, of: "a twin").flatMap { number($0, "the fraction of a twin") }
            guard let matrix = twinMatrix(item), let fraction else { continue }
            places[.twin(twins.count)] = item.range
            twins.append(Twin(matrix: matrix, fraction: fraction))
        }
        return twins
    }

    private mutating func twinMatrix(_ item: Located) -> Matrix3? {
        let forms = ["mirror", "axis", "matrix"].filter { item[$0] != nil }
        if forms.count > 1 {
            report("this twin has \(forms.joined(separator: " and ")) at once", at: item.range)
            return nil
        }
        if let written = item["matrix"] { return matrix(written, "the matrix of a twin") }
        if let written = item["mirror"] { return mirror(written) }
        guard let written = item["axis"] else {
            if let angle = item["angle"] {
                report("this twin has an angle and no axis", at: angle.range, hint: "add axis: z")
                return nil
            }
            return .identity
        }
        guard let axis = direction(written, "the axis of a twin"),
            let angle = required("angle", in: item, of: "a twin with an axis"),
            let degrees = quantity(angle, .angle, "the angle of a twin")
        else { return nil }
        return rotation(about: (1 / axis.length) * axis, degrees: degrees)
    }

    /// `x<->y`: the mirror that exchanges two Cartesian axes.
    private mutating func mirror(_ written: Located) -> Matrix3? {
        let letters = (written.text ?? "").split(separator: "<->", maxSplits: 1).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let axes = letters.compactMap { ["x", "y", "z"].firstIndex(of: $0) }
        guard axes.count == 2, axes[0] != axes[1] else {
            report(
                "'\(written.text ?? written.kind)' is no mirror", at: written.range,
                hint: "a mirror exchanges two Cartesian axes: x<->y, y<->z or x<->z")
            return nil
        }
        var matrix = Matrix3.identity
        (matrix[axes[0]], matrix[axes[1]]) = (matrix[axes[1]], matrix[axes[0]])
        return matrix
    }

    /// Rodrigues' formula.
    private func rotation(about n: Vector3, degrees: Double) -> Matrix3 {
        let angle = degrees * Double.pi / 180
        let (c, s) = (cos(angle), sin(angle))
        let along = Matrix3(rows: n.x * n, n.y * n, n.z * n)
        let across = Matrix3(rows: Vector3(0, -n.z, n.y), Vector3(n.z, 0, -n.x), Vector3(-n.y, n.x, 0))
        return c * .identity + s * across + (1 - c) * along
    }

    mutating func readFormFactors(_ sites: [Site]?) -> [String: FormFactor] {
        guard let section = file["form-factors"] else { return [:] }
        guard let entries = section.entries else {
            report("'form-factors' must be a mapping of ions to coefficients", at: section.range)
            return [:]
        }
        let ions = Set((sites ?? []).map(\.ion))
        var factors: [String: FormFactor] = [:]
        for entry in entries {
            if sites != nil, !ions.contains(entry.key) {
                report(
                    "no site has the ion '\(entry.key)'", at: entry.keyRange,
                    hint: Spelling.nearest(to: entry.key, among: ions.sorted()).map { "did you mean '\($0)'?" })
                continue
            }
            checkKeys(entry.value, ["j0", "j2", "j2-weight", "like"], of: "a form factor")
            places[.ion(entry.key)] = entry.keyRange
            if let factor = formFactor(entry) { factors[entry.key] = factor }
        }
        return factors
    }

    /// `{like: Mn4}` for a built-in ion, or `{j0: [A, a, B, b, C, c, D]}`; either with ⟨j2⟩ and its weight.
    private mutating func formFactor(_ entry: Located.Entry) -> FormFactor? {
        guard let weight = j2Weight(entry) else { return nil }
        if weight != 0, entry.value["like"] == nil, entry.value["j0"] == nil, entry.value["j2"] == nil,
            let factor = FormFactor.tabulated(entry.key, j2Weight: weight)
        {
            return factor
        }
        if let like = entry.value["like"] {
            if let factor = FormFactor.tabulated(like.text ?? "", j2Weight: weight) { return factor }
            let known = FormFactor.tabulatedIons
            report(
                "no form factor is built in for '\(like.text ?? like.kind)'", at: like.range,
                hint: Spelling.nearest(to: like.text ?? "", among: known).map { "did you mean '\($0)'?" }
                    ?? "built in are \(known.joined(separator: ", "))")
            return nil
        }
        guard let written = required("j0", in: entry.value, of: "a form factor"),
            let j0 = coefficients(written, "j0")
        else { return nil }
        var j2: FormFactor.Coefficients?
        if let written = entry.value["j2"] {
            guard let found = coefficients(written, "j2") else { return nil }
            j2 = found
        }
        if (j2 != nil) != (weight != 0) {
            report("a form factor with j2 needs a j2-weight other than 0, and the other way round", at: entry.keyRange)
            return nil
        }
        return FormFactor(j0: j0, j2: j2, j2Weight: weight)
    }

    /// A number, or `free-ion` for (2 − g)/g of an f-electron ion by Hund's rules; 0 where absent.
    private mutating func j2Weight(_ entry: Located.Entry) -> Double? {
        guard let written = entry.value["j2-weight"] else { return 0 }
        guard written.text == "free-ion" else { return number(written, "the weight of <j2>") }
        let ion = entry.value["like"]?.text ?? entry.key
        if let lande = LandeFactor(freeIon: ion) { return lande.j2Weight }
        report(
            "no free ion '\(ion)' with a partly filled f shell and a moment is known", at: written.range,
            hint: "give the weight as a number: (2 - g)/g for a Lande factor g, 0 for a moment of spin alone")
        return nil
    }

    private mutating func coefficients(_ written: Located, _ name: String) -> FormFactor.Coefficients? {
        guard let items = written.items, FormFactor.Coefficients.counts.contains(items.count) else {
            report(
                "'\(name)' has the seven coefficients A, a, B, b, C, c, D, or nine with a fourth Gaussian",
                at: written.range)
            return nil
        }
        let values = items.compactMap { number($0, "a coefficient of \(name)") }
        return values.count == items.count ? FormFactor.Coefficients(values) : nil
    }
}
