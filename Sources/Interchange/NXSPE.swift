import Tensors

/// One run of a direct-geometry spectrometer: counts of every detector in bins of energy transfer (`.nxspe`).
///
/// The file that Mantid's SaveNXSPE writes and that Horace, Mslice and Mantid read. Layout: NeXus application definition
/// NXspe; Mantid, algorithms SaveNXSPE and LoadNXSPE (version 1.3).
public struct NXSPE: Hashable, Sendable {
    /// Where one detector is, seen from the sample.
    public struct Detector: Hashable, Sendable {
        /// Scattering angle 2θ and angle about the beam, degrees.
        public var polar: Double
        public var azimuthal: Double
        /// Full widths, degrees.
        public var polarWidth: Double
        public var azimuthalWidth: Double
        /// From the sample, m; NaN where the file does not say.
        public var distance: Double

        public init(
            polar: Double, azimuthal: Double, polarWidth: Double, azimuthalWidth: Double, distance: Double
        ) {
            self.polar = polar
            self.azimuthal = azimuthal
            self.polarWidth = polarWidth
            self.azimuthalWidth = azimuthalWidth
            self.distance = distance
        }
    }

    /// Name of the entry: often that of the run.
    public var entry: String
    /// Name of the instrument; empty where the file does not say. Mantid refuses a file with a name that it does not know
    /// (`knownInstrument`).
    public var instrument: String
    /// Incident energy, meV; NaN where nobody wrote it.
    public var incidentEnergy: Double
    /// Angle of the crystal about the vertical, degrees; NaN where nobody wrote it.
    public var psi: Double
    /// Whether the intensities were multiplied by ki/kf; nil where nobody wrote it, which Mantid takes for no.
    public var isScaledByKiOverKf: Bool?
    /// Edges of the bins of energy transfer, rising, meV: one more than there are bins.
    public var energyEdges: [Double]
    public var detectors: [Detector]
    /// Intensities, [detectors, energy bins]; NaN where a detector is masked.
    public var intensity: Tensor<Double>
    /// Standard deviations of the intensities, of the same shape; 0 where a detector is masked.
    public var error: Tensor<Double>

    /// - Precondition: shapes agree.
    public init(
        entry: String = "spinweave", instrument: String = "", incidentEnergy: Double, psi: Double = .nan,
        isScaledByKiOverKf: Bool? = true, energyEdges: [Double], detectors: [Detector], intensity: Tensor<Double>,
        error: Tensor<Double>
    ) {
        precondition(
            intensity.shape == [detectors.count, energyEdges.count - 1] && error.shape == intensity.shape,
            "\(detectors.count) detectors and \(energyEdges.count) edges for the shape \(intensity.shape)")
        self.entry = entry
        self.instrument = instrument
        self.incidentEnergy = incidentEnergy
        self.psi = psi
        self.isScaledByKiOverKf = isScaledByKiOverKf
        self.energyEdges = energyEdges
        self.detectors = detectors
        self.intensity = intensity
        self.error = error
    }

    /// Whether a file is one of these: some entry's definition begins with NXSPE.
    public static func isIn(_ file: HDF5File) -> Bool { (try? entryName(of: file)) != nil }

    private static func entryName(of file: HDF5File) throws(InterchangeError) -> String? {
        var found: [String] = []
        for name in try file.names(in: "/") where file.has("/\(name)/definition") {
            // A dataset of another type is another definition.
            let definition = try? file.text("/\(name)/definition")
            if let definition, definition.uppercased().hasPrefix("NXSPE") { found.append(name) }
        }
        if found.count > 1 {
            throw InterchangeError(
                "\(found.count) runs in one file: \(found.joined(separator: ", "))", file: file.name,
                hint: "save each run to a file of its own")
        }
        return found.first
    }

    /// Reads a run. Missing `psi`, `distance` and names are allowed; anything else that is missing, of another shape, or
    /// not a number where one is needed, is an error. Intensities that are not finite or ≤ −1e10 are masked.
    public init(_ file: HDF5File) throws(InterchangeError) {
        guard let entry = try Self.entryName(of: file) else {
            throw InterchangeError(
                "no entry is defined as NXSPE", file: file.name,
                hint: "Mantid's SaveNXSPE and Horace write such files; 'h5ls -r' lists what this one holds")
        }
        let (info, data) = ("/\(entry)/NXSPE_info", "/\(entry)/data")
        let intensity = try file.doubles("\(data)/data")
        guard intensity.shape.count == 2 else {
            throw InterchangeError(
                "'\(data)/data' has the shape \(intensity.shape) where [detectors, energies] is expected",
                file: file.name)
        }
        let (count, bins) = (intensity.shape[0], intensity.shape[1])
        func column(_ name: String) throws(InterchangeError) -> [Double] {
            let column = try file.doubles("\(data)/\(name)")
            guard column.count == count else {
                throw InterchangeError(
                    "'\(data)/\(name)' has \(column.count) values for \(count) detectors", file: file.name)
            }
            if let bad = column.elements.firstIndex(where: { !$0.isFinite }) {
                throw InterchangeError(
                    "'\(data)/\(name)' is \(column.elements[bad]) for detector \(bad)", file: file.name)
            }
            return column.elements
        }
        let (polar, azimuthal) = (try column("polar"), try column("azimuthal"))
        let (polarWidth, azimuthalWidth) = (try column("polar_width"), try column("azimuthal_width"))
        let hasDistance = file.has("\(data)/distance")
        let distance = hasDistance ? try column("distance") : Array(repeating: .nan, count: count)
        detectors = (0..<count).map {
            Detector(
                polar: polar[$0], azimuthal: azimuthal[$0], polarWidth: polarWidth[$0],
                azimuthalWidth: azimuthalWidth[$0], distance: distance[$0])
        }
        energyEdges = try Self.edges(file, "\(data)/energy", bins: bins)
        let error = try file.doubles("\(data)/error")
        guard error.shape == intensity.shape else {
            throw InterchangeError(
                "'\(data)/error' has the shape \(error.shape), the intensities have \(intensity.shape)",
                file: file.name)
        }
        (self.intensity, self.error) = try Self.masked(intensity, error, file.name, "\(data)/error")
        let energies = try file.doubles("\(info)/fixed_energy").elements
        guard energies.count == 1 else {
            throw InterchangeError(
                "'\(info)/fixed_energy' has \(energies.count) values: an instrument of indirect geometry",
                file: file.name,
                hint: "only direct geometry is read, with one incident energy")
        }
        incidentEnergy = energies[0]
        psi = file.has("\(info)/psi") ? try file.number("\(info)/psi") : .nan
        let scaling = "\(info)/ki_over_kf_scaling"
        isScaledByKiOverKf = file.has(scaling) ? try file.number(scaling) != 0 : nil
        instrument = (try? file.text("/\(entry)/instrument/name")) ?? ""
        self.entry = entry
    }

    /// Bin edges; where a file has centres (as many as bins), the edges between and beyond them.
    private static func edges(_ file: HDF5File, _ path: String, bins: Int) throws(InterchangeError) -> [Double] {
        let values = try file.doubles(path).elements
        guard bins > 0, values.count == bins || values.count == bins + 1, values.count > 1 else {
            throw InterchangeError(
                "'\(path)' has \(values.count) energies for \(bins) bins", file: file.name,
                hint: "the edges of the bins are expected: one more than bins")
        }
        guard values.allSatisfy(\.isFinite), zip(values, values.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw InterchangeError("'\(path)' does not rise from bin to bin", file: file.name)
        }
        if values.count == bins + 1 { return values }
        let between = zip(values, values.dropFirst()).map { ($0 + $1) / 2 }
        return [2 * values[0] - between[0]] + between + [2 * values[bins - 1] - between[bins - 2]]
    }

    private static func masked(
        _ intensity: Tensor<Double>, _ error: Tensor<Double>, _ file: String, _ path: String
    ) throws(InterchangeError) -> (Tensor<Double>, Tensor<Double>) {
        var (intensity, error) = (intensity, error)
        for index in intensity.elements.indices {
            let value = intensity.elements[index]
            if !value.isFinite || value <= -1e10 {
                intensity.elements[index] = .nan
                error.elements[index] = 0
            } else if !(error.elements[index] >= 0) || !error.elements[index].isFinite {
                throw InterchangeError(
                    "'\(path)' is \(error.elements[index]) for detector \(index / intensity.shape[1]), "
                        + "bin \(index % intensity.shape[1])",
                    file: file, hint: "a standard deviation is expected; mask the bin with NaN in the data")
            }
        }
        return (intensity, error)
    }

    /// The bytes of a `.nxspe` file.
    public func encoded(name: String = "the run") throws(InterchangeError) -> [UInt8] {
        func number(_ value: Double, _ units: String) -> HDF5Dataset {
            HDF5Dataset([value], attributes: ["units": .text(units)])
        }
        func column(_ path: KeyPath<Detector, Double>, _ units: String) -> HDF5Dataset {
            HDF5Dataset(detectors.map { $0[keyPath: path] }, attributes: ["units": .text(units)])
        }
        var data = [
            "energy": HDF5Dataset(energyEdges, attributes: ["units": .text("meV")]),
            "data": HDF5Dataset(
                .float64(intensity), attributes: ["signal": .int32(1), "axes": .text("polar:energy")]),
            "error": HDF5Dataset(.float64(error)),
            "polar": column(\.polar, "degrees"), "azimuthal": column(\.azimuthal, "degrees"),
            "polar_width": column(\.polarWidth, "degrees"), "azimuthal_width": column(\.azimuthalWidth, "degrees"),
        ]
        if detectors.allSatisfy({ $0.distance.isFinite }) { data["distance"] = column(\.distance, "m") }
        var info = ["fixed_energy": number(incidentEnergy, "meV"), "psi": number(psi, "degrees")]
        if let isScaledByKiOverKf {
            info["ki_over_kf_scaling"] = HDF5Dataset(
                .int32(Tensor(shape: [1], elements: [isScaledByKiOverKf ? 1 : 0])))
        }
        let entryGroup = HDF5Group(
            class: "NXentry",
            datasets: [
                // 1.2 is what older versions of Horace take, too; 1.3 adds energies of indirect instruments.
                "definition": HDF5Dataset("NXSPE", attributes: ["version": .text("1.2")]),
                "program_name": HDF5Dataset("spinweave"),
            ],
            groups: [
                "NXSPE_info": HDF5Group(class: "NXcollection", datasets: info),
                "instrument": HDF5Group(
                    class: "NXinstrument",
                    datasets: [
                        "name": HDF5Dataset(
                            instrument.isEmpty ? "NXSPE" : instrument, attributes: ["short_name": .text(instrument)])
                    ],
                    groups: [
                        "fermi": HDF5Group(
                            class: "NXfermi_chopper", datasets: ["energy": number(incidentEnergy, "meV")])
                    ]),
                "sample": HDF5Group(
                    class: "NXsample", datasets: psi.isFinite ? ["rotation_angle": number(psi, "degrees")] : [:]),
                "data": HDF5Group(class: "NXdata", datasets: data),
            ])
        return try HDF5Group(groups: [entry: entryGroup]).encoded(name: name)
    }

    /// Writes the run to `path`, atomically.
    public func write(to path: String) throws(InterchangeError) {
        try AtomicFile.write(try encoded(name: path), to: path)
    }
}
