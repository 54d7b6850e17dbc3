import Foundation
import Tensors

/// A histogram in several dimensions with errors: Mantid's MDHistoWorkspace in a file of SaveMD (`.nxs`).
///
/// Mantid (LoadMD), Shiver and Mslice read it. Layout: Mantid, algorithm SaveMD, version 2.
public struct MDHistogram: Hashable, Sendable {
    /// One dimension, in equal bins.
    public struct Axis: Hashable, Sendable {
        /// Mantid's name of what lies along it: `[H,0,0]`, `[0,K,0]`, `DeltaE`.
        public var name: String
        /// `r.l.u.`, `meV`.
        public var units: String
        /// Mantid's kind of coordinate: `HKL`, `QSample`, `General Frame`.
        public var frame: String
        /// Bin edges, rising: one more than bins.
        public var edges: [Double]

        public init(name: String, units: String, frame: String, edges: [Double]) {
            self.name = name
            self.units = units
            self.frame = frame
            self.edges = edges
        }

        public var count: Int { edges.count - 1 }
        /// `[H,0,0] (r.l.u.): 40 bins from -1.025641 to 1.025641`
        public var summary: String {
            let ends = String(format: "from %.7g to %.7g", edges.first ?? .nan, edges.last ?? .nan)
            return "\(name)\(units.isEmpty ? "" : " (\(units))"): \(count) bin\(count == 1 ? "" : "s") \(ends)"
        }
    }

    /// Slowest first: as the extents of the tensors. Mantid counts dimensions the other way round.
    public var axes: [Axis]
    /// Intensities; NaN where nothing was measured.
    public var signal: Tensor<Double>
    /// Squares of the standard deviations.
    public var errorsSquared: Tensor<Double>
    /// How many events or detectors each bin took.
    public var eventCounts: Tensor<Double>
    /// Not 0 where a bin is masked.
    public var mask: Tensor<UInt8>
    /// Incident energy, meV, where it is known.
    public var incidentEnergy: Double?

    /// - Precondition: shapes agree with the axes.
    public init(
        axes: [Axis], signal: Tensor<Double>, errorsSquared: Tensor<Double>, eventCounts: Tensor<Double>,
        mask: Tensor<UInt8>, incidentEnergy: Double? = nil
    ) {
        let shape = axes.map(\.count)
        precondition(
            signal.shape == shape && errorsSquared.shape == shape && eventCounts.shape == shape && mask.shape == shape,
            "the axes have shape \(shape)")
        self.axes = axes
        self.signal = signal
        self.errorsSquared = errorsSquared
        self.eventCounts = eventCounts
        self.mask = mask
        self.incidentEnergy = incidentEnergy
    }

    private static let root = "/MDHistoWorkspace"

    /// Whether a file holds such a histogram.
    public static func isIn(_ file: HDF5File) -> Bool { file.isGroup("\(root)/data") }

    /// Reads a histogram. What is missing, of another shape or without equal rising bins is an error; signals that are
    /// not finite are NaN afterwards.
    public init(_ file: HDF5File) throws(InterchangeError) {
        let data = "\(Self.root)/data"
        guard Self.isIn(file) else {
            let isEvents = file.isGroup("/MDEventWorkspace")
            throw InterchangeError(
                isEvents ? "an MDEventWorkspace: events, not a histogram" : "no MDHistoWorkspace", file: file.name,
                hint: isEvents
                    ? "bin it with MDNorm or BinMD, then SaveMD" : "save an MDHistoWorkspace with Mantid's SaveMD")
        }
        let signal = try file.doubles("\(data)/signal")
        guard let axesText = try file.attribute("axes", of: "\(data)/signal")?.text else {
            throw InterchangeError(
                "'\(data)/signal' has no attribute 'axes' with the names of its axes", file: file.name,
                hint: "files of SaveMD version 1 must be loaded and saved again with a newer Mantid")
        }
        let names = axesText.split(separator: ":").map(String.init)
        guard names.count == signal.shape.count, !names.isEmpty else {
            throw InterchangeError(
                "'\(data)/signal' has \(signal.shape.count) dimensions and \(names.count) axes ('\(axesText)')",
                file: file.name)
        }
        axes = []
        for (name, extent) in zip(names, signal.shape) { axes.append(try Self.axis(file, "\(data)/\(name)", extent)) }
        func field(_ name: String) throws(InterchangeError) -> Tensor<Double> {
            let field = try file.doubles("\(data)/\(name)")
            guard field.shape == signal.shape else {
                throw InterchangeError(
                    "'\(data)/\(name)' has the shape \(field.shape), the signal has \(signal.shape)", file: file.name)
            }
            return field
        }
        errorsSquared = try field("errors_squared")
        eventCounts =
            file.has("\(data)/num_events")
            ? try field("num_events") : Tensor(shape: signal.shape, repeating: 1)
        let masked = file.has("\(data)/mask") ? try field("mask").elements : []
        mask = Tensor(
            shape: signal.shape,
            elements: masked.isEmpty
                ? Array(repeating: 0, count: signal.count) : masked.map { $0 == 0 ? 0 : 1 })
        self.signal = Tensor(shape: signal.shape, elements: signal.elements.map { $0.isFinite ? $0 : .nan })
        incidentEnergy = nil
        for path in ["\(Self.root)/incident_energy", "\(Self.root)/experiment0/logs/Ei/value"]
        where incidentEnergy == nil && file.has(path) {
            let energy = try file.number(path)
            if energy.isFinite && energy > 0 { incidentEnergy = energy }
        }
    }

    private static func axis(_ file: HDF5File, _ path: String, _ extent: Int) throws(InterchangeError) -> Axis {
        let edges = try file.doubles(path).elements
        guard edges.count == extent + 1, extent > 0 else {
            throw InterchangeError(
                "'\(path)' has \(edges.count) edges for \(extent) bins", file: file.name,
                hint: "one more edge than bins is expected")
        }
        let width = (edges[extent] - edges[0]) / Double(extent)
        // Mantid keeps axes in single precision: 2⁻²³ of the largest edge, twice for a difference, with room.
        let allowance = 1e-6 * max(abs(edges[0]), abs(edges[extent])) + 1e-3 * width
        guard width > 0, width.isFinite,
            edges.indices.allSatisfy({ abs(edges[$0] - (edges[0] + Double($0) * width)) <= allowance })
        else {
            throw InterchangeError("'\(path)' does not rise in equal bins", file: file.name)
        }
        func text(_ attribute: String) throws(InterchangeError) -> String {
            guard let found = try file.attribute(attribute, of: path) else { return "" }
            return found.text ?? ""
        }
        let name = try text("long_name")
        return Axis(
            name: name.isEmpty ? String(path.split(separator: "/").last ?? "") : name, units: try text("units"),
            frame: try text("frame"), edges: edges)
    }

    /// The bytes of a `.nxs` file.
    public func encoded(name: String = "the histogram") throws(InterchangeError) -> [UInt8] {
        let count = axes.count
        var chunk = signal.shape
        if !chunk.isEmpty { chunk[0] = 1 }
        func field(_ tensor: AnyTensor, as stored: HDF5Dataset.Number? = nil) -> HDF5Dataset {
            HDF5Dataset(tensor, as: stored, chunk: chunk)
        }
        var signalField = field(.float64(signal))
        signalField.attributes = [
            "signal": .int32(1), "axes": .text((0..<count).map { "D\(count - 1 - $0)" }.joined(separator: ":")),
        ]
        var data = [
            "signal": signalField, "errors_squared": field(.float64(errorsSquared)),
            "num_events": field(.float64(eventCounts)), "mask": field(.uint8(mask), as: .int8),
        ]
        for (index, axis) in axes.enumerated() {
            data["D\(count - 1 - index)"] = HDF5Dataset(
                axis.edges,
                attributes: [
                    "long_name": .text(axis.name), "units": .text(axis.units), "frame": .text(axis.frame),
                ])
        }
        func flag(_ value: Int32) -> HDF5Dataset {
            HDF5Dataset(.int32(Tensor(shape: [1], elements: [value])), as: .uint32)
        }
        // 3: reciprocal lattice units; 0: signals are shown as they are, not divided by anything.
        var fields = [
            "coordinate_system": flag(axes.contains { $0.frame == "HKL" } ? 3 : 0), "visual_normalization": flag(0),
        ]
        if let incidentEnergy {
            fields["incident_energy"] = HDF5Dataset([incidentEnergy], attributes: ["units": .text("meV")])
        }
        var entry = HDF5Group(
            class: "NXentry", datasets: fields, groups: ["data": HDF5Group(class: "NXdata", datasets: data)])
        entry.attributes["SaveMDVersion"] = .int32(2)
        // Q = ki − kf.
        entry.attributes["QConvention"] = .text("Inelastic")
        return try HDF5Group(groups: ["MDHistoWorkspace": entry]).encoded(name: name)
    }

    /// Writes the histogram to `path`, atomically.
    public func write(to path: String) throws(InterchangeError) {
        try AtomicFile.write(try encoded(name: path), to: path)
    }
}
