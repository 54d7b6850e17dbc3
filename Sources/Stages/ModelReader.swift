import Diagnostics
import GraphLanguage
import Quantities
import SpinWaves

/// Turns a parsed model file into the parts of a `SpinModel`, noting every problem on the way.
struct ModelReader {
    /// The parts, before the model checks their physics.
    struct Draft {
        var lattice: Lattice
        var sites: [Site]
        var parameters: [SpinModel.Parameter]
        var bonds: [Bond]
        var anisotropies: [Anisotropy]
        var field: Vector3
        var twins: [Twin]
        var formFactors: [String: FormFactor]
        var spiral: SpinSpiral?
        var isDipolar = false
    }

    static let keys = [
        "about", "lattice", "symmetry", "cif", "sites", "structure", "parameters", "exchange", "anisotropy", "dipolar",
        "field", "twins", "form-factors",
    ]

    let file: Located
    var diagnostics: [Diagnostic] = []
    /// Where each part of the model was written, for problems that the model itself finds.
    var places: [ModelProblem.Part: SourceRange] = [:]
    /// Site labels in order.
    var labels: [String] = []
    /// Declared parameters: value in meV (nil where it could not be read) and where it stands.
    var declared: [String: (value: Double?, range: SourceRange)] = [:]
    /// Parameters in the order of their first use.
    var used: [String] = []
    /// The sites with their space group, where the model has `symmetry` or `cif`.
    var crystal: Crystal?
    /// The sites' imaginary parts, by index.
    var imaginary: [Int: (value: Vector3, written: Located)] = [:]

    init(_ file: Located) {
        self.file = file
    }

    mutating func draft() -> Draft? {
        guard file.entries != nil else {
            report("a model file is a mapping with the keys lattice, sites, parameters and exchange", at: file.range)
            return nil
        }
        checkKeys(file, Self.keys, of: "a model")
        readParameters()
        let cif = readCIF()
        let lattice = hasCIF ? cif?.lattice : readLattice()
        let sites = hasSymmetry ? readEquivalentSites(lattice, cif) : readSites()
        let structure = readStructure()
        let bonds = readExchange(lattice, sites)
        let anisotropies = readAnisotropy(sites)
        let field = readField()
        let twins = readTwins()
        let formFactors = readFormFactors(sites)
        let parameters = orderedParameters()
        guard let lattice, let sites else { return nil }
        var draft = Draft(
            lattice: lattice, sites: sites, parameters: parameters, bonds: bonds, anisotropies: anisotropies,
            field: field, twins: twins, formFactors: formFactors)
        draft.isDipolar = readDipolar()
        if let structure { apply(structure, to: &draft) }
        return draft
    }

    // MARK: Parameters

    private mutating func readParameters() {
        guard let section = file["parameters"] else { return }
        guard let entries = section.entries else {
            report("'parameters' must be a mapping of names to energies, such as 'J: 1.2 meV'", at: section.range)
            return
        }
        for entry in entries {
            var written = entry.value
            if entry.value.entries != nil {
                checkKeys(entry.value, ["value", "about"], of: "a parameter")
                guard let inner = entry.value["value"] else {
                    report("the parameter '\(entry.key)' has no value", at: entry.keyRange, hint: "add value: 1 meV")
                    declared[entry.key] = (nil, entry.keyRange)
                    continue
                }
                written = inner
            }
            declared[entry.key] = (quantity(written, .energy, "the value of '\(entry.key)'"), entry.keyRange)
            places[.parameter(entry.key)] = entry.keyRange
        }
    }

    /// In the order of first use in exchange and anisotropy, so that the order of keys in the file has no meaning.
    private mutating func orderedParameters() -> [SpinModel.Parameter] {
        for name in declared.keys.sorted() where !used.contains(name) {
            report(
                "nothing uses the parameter '\(name)'", at: declared[name]?.range ?? file.range,
                hint: "name it in exchange or anisotropy, or remove it")
        }
        return used.compactMap { name in declared[name]?.value.map { SpinModel.Parameter(name, $0) } }
    }

    /// Notes the use of a parameter; false (and a report) when it is not declared.
    mutating func use(_ name: String, at range: SourceRange) -> Bool {
        guard declared[name] != nil else {
            let nearest = Spelling.nearest(to: name, among: declared.keys.sorted())
            report(
                "the model has no parameter '\(name)'", at: range,
                hint: nearest.map { "did you mean '\($0)'?" } ?? "declare it under 'parameters' with a value in meV")
            return false
        }
        if !used.contains(name) { used.append(name) }
        return true
    }

    // MARK: Lattice and sites

    mutating func readLattice() -> Lattice? {
        guard let section = required("lattice", in: file, of: "a model") else { return nil }
        guard section.entries != nil else {
            report("'lattice' must be a mapping with a, b, c and optionally alpha, beta, gamma", at: section.range)
            return nil
        }
        let edges = ["a", "b", "c"], angles = ["alpha", "beta", "gamma"]
        checkKeys(section, edges + angles, of: "a lattice")
        var values: [Double] = []
        for name in edges {
            guard let written = required(name, in: section, of: "the lattice"),
                let value = quantity(written, .length, "the cell edge \(name)")
            else { continue }
            values.append(value)
        }
        for name in angles {
            guard let written = section[name] else {
                values.append(90)
                continue
            }
            if let value = quantity(written, .angle, "the cell angle \(name)") { values.append(value) }
        }
        guard values.count == 6 else { return nil }
        places[.lattice] = section.range
        do {
            return try Lattice(
                a: values[0], b: values[1], c: values[2], alpha: values[3], beta: values[4], gamma: values[5])
        } catch {
            report(error.description, at: section.range)
            return nil
        }
    }

    private mutating func readSites() -> [Site]? {
        guard let section = required("sites", in: file, of: "a model") else { return nil }
        places[.sites] = section.range
        guard let items = section.items, !items.isEmpty else {
            report("'sites' must be a list with at least one site", at: section.range)
            return nil
        }
        labels = items.enumerated().map { index, item in item["label"]?.text ?? "\(index + 1)" }
        var sites: [Site] = []
        for (index, item) in items.enumerated() {
            if let site = readSite(item, index) { sites.append(site) }
            places[.site(index)] = item.range
        }
        return sites.count == items.count ? sites : nil
    }

    private mutating func readSite(_ item: Located, _ index: Int) -> Site? {
        guard item.entries != nil else {
            report(
                "a site is a mapping such as {ion: Mn4, position: [0, 0, 0], spin: 3/2, direction: [0, 0, 1]}",
                at: item.range)
            return nil
        }
        checkKeys(item, ["label", "ion", "position", "spin", "direction", "imaginary", "g"], of: "a site")
        let name = "site \(labels[index])"
        noteImaginary(item, index, name)
        let ion = required("ion", in: item, of: name)
        let position = required("position", in: item, of: name).flatMap { vector($0, "the position of \(name)") }
        let spin = required("spin", in: item, of: name).flatMap { number($0, "the spin of \(name)") }
        let direction = required("direction", in: item, of: name).flatMap { vector($0, "the direction of \(name)") }
        var g: Matrix3? = 2 * Matrix3.identity
        if let written = item["g"] { g = gTensor(written, name) }
        guard let ion, let text = ion.text, let position, let spin, let direction, let g else { return nil }
        if places[.ion(text)] == nil { places[.ion(text)] = ion.range }
        return Site(label: labels[index], ion: text, position: position, spin: spin, direction: direction, g: g)
    }

    mutating func gTensor(_ written: Located, _ name: String) -> Matrix3? {
        let subject = "g of \(name)"
        guard let items = written.items else { return number(written, subject).map { $0 * Matrix3.identity } }
        if items.first?.items != nil { return matrix(written, subject) }
        return vector(written, subject).map(Matrix3.init(diagonal:))
    }

    /// The index of a site named by its label or by its number from 1; what `doing` it is for messages.
    mutating func site(_ written: Located, _ doing: String) -> Int? {
        guard let text = written.text else {
            report("\(doing) must name a site by its label or number", at: written.range)
            return nil
        }
        if let index = labels.firstIndex(of: text) { return index }
        // Where the crystal could not be made, that was said already.
        if hasSymmetry, crystal == nil { return nil }
        if let number = Int(text) {
            if number >= 1, number <= labels.count { return number - 1 }
            report(
                "\(doing) goes to site \(number), but the model has \(labels.count) sites", at: written.range,
                hint: "sites are counted from 1 in the order they are listed")
            return nil
        }
        let nearest = Spelling.nearest(to: text, among: labels)
        report(
            "\(doing) goes to site '\(text)', which the model does not have", at: written.range,
            hint: nearest.map { "did you mean '\($0)'?" } ?? "the sites are \(labels.joined(separator: ", "))")
        return nil
    }
}
