import Artifacts
import Dataflow
import Instruments
import Interchange
import Tensors

/// What an artifact with a detector image becomes in the file formats of other programs.
public struct ImageFiles: Sendable {
    var image: [Float]
    /// 1 where there is no data.
    var missing: [UInt8]
    var error: [Float]?
    var geometry: ImageGeometry

    /// The image of an artifact: a simulated image's mixture of domains, a noisy image, a measurement, or an attribution's
    /// map by its best method.
    ///
    /// nil for artifacts without one, and for several noisy copies at once.
    public init?(_ value: Value, type: PortType) throws {
        switch type {
        case "image":
            let simulated = try SimulatedImage(value)
            geometry = try ImageGeometry(simulated.geometry)
            image = simulated.mixture.elements
            missing = Array(repeating: 0, count: image.count)
        case "counts":
            let noisy = try NoisyImages(value)
            guard noisy.count == 1 else { return nil }
            geometry = try ImageGeometry(noisy.geometry)
            image = noisy.copy(0)
            missing = noisy.mask.elements
        case "measurement":
            let measurement = try Measurement(value)
            geometry = try ImageGeometry(measurement.geometry)
            image = measurement.image.elements
            missing = measurement.missing.elements
            error = measurement.error?.elements
        case "attribution":
            geometry = try ImageGeometry(value.field("geometry"))
            image = try value.field("maps").tensor(value.string("best")).asFloat32.elements
            missing = Array(repeating: 0, count: image.count)
        default: return nil
        }
        guard image.count == geometry.rows * geometry.columns, missing.count == image.count,
            error?.count ?? image.count == image.count
        else { throw ValueError(expected: "an image of shape \(geometry.shape)", field: "image", found: "another") }
    }

    /// Incident energies, meV, from the image's top.
    public var incidentEnergies: [Double] { geometry.settings.map(\.incidentEnergy) }

    /// A histogram over (energy, k, h) for each incident energy. Pixels without data are NaN and masked. Where the errors
    /// are not known they are 0.
    public var histograms: [MDHistogram] { geometry.settings.indices.map(histogram) }

    private func histogram(_ setting: Int) -> MDHistogram {
        let axes = MeasurementFile.axes(of: geometry, setting: setting)
        let shape = axes.map(\.count)
        var signal = Tensor<Double>(shape: shape, repeating: .nan)
        var errorsSquared = Tensor<Double>(shape: shape, repeating: 0)
        var counts = Tensor<Double>(shape: shape, repeating: 0)
        var mask = Tensor<UInt8>(shape: shape, repeating: 1)
        for bin in 0..<shape[0] {
            for column in 0..<shape[1] {
                for row in 0..<shape[2] {
                    let at =
                        (setting * shape[2] + shape[2] - 1 - row) * geometry.columns + bin * shape[1] + column
                    guard missing[at] == 0 else { continue }
                    let index = (bin * shape[1] + column) * shape[2] + row
                    signal.elements[index] = Double(image[at])
                    if let error { errorsSquared.elements[index] = Double(error[at]) * Double(error[at]) }
                    counts.elements[index] = 1
                    mask.elements[index] = 0
                }
            }
        }
        return MDHistogram(
            axes: axes, signal: signal, errorsSquared: errorsSquared, eventCounts: counts, mask: mask,
            incidentEnergy: geometry.settings[setting].incidentEnergy)
    }

    /// A row for each pixel with data, at its centre, with the l that the detectors see there. The column Ei is there where
    /// there are several, and `error` where errors are known.
    public var cut: CutTable {
        let hasSeveral = geometry.settings.count > 1
        var columns: [CutTable.Column] = [.h, .k, .l, .energy, .intensity]
        if error != nil { columns.append(.error) }
        if hasSeveral { columns.insert(.incidentEnergy, at: 0) }
        var rows: [[Double]] = []
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                let at = row * geometry.columns + column
                guard missing[at] == 0 else { continue }
                let pixel = geometry.pixel(row: row, column: column)
                // Where the centre of a pixel is out of reach, nothing is scattered there.
                guard let indices = indices(of: pixel, isEmpty: image[at] == 0) else { continue }
                var numbers = [indices.x, indices.y, indices.z, pixel.energy, Self.short(image[at])]
                if let error { numbers.append(Self.short(error[at])) }
                if hasSeveral { numbers.insert(pixel.incidentEnergy, at: 0) }
                rows.append(numbers)
            }
        }
        return CutTable(columns: columns, rows: rows)
    }

    /// (h, k, l) of a pixel; nil for one out of reach, unless there is something in it.
    private func indices(of pixel: ImageGeometry.Pixel, isEmpty: Bool) -> SIMD3<Double>? {
        if geometry.volume != nil {
            return geometry.millerIndices(of: pixel) ?? (isEmpty ? nil : geometry.nearestIndices(of: pixel))
        }
        let l = geometry.l(incidentEnergy: pixel.incidentEnergy, energy: pixel.energy, h: pixel.h, k: pixel.k)
        if l == nil && isEmpty { return nil }
        let edge = Neutron.wavevector(energy: pixel.incidentEnergy) * geometry.lattice[2] / (2 * .pi)
        return SIMD3(pixel.h, pixel.k, l ?? edge)
    }

    /// The double that is written as shortly as the single is, where it reads back to the same single.
    private static func short(_ value: Float) -> Double {
        guard let short = Double(value.description), Float(short) == value else { return Double(value) }
        return short
    }
}

extension MeasurementFile {
    /// The axes of one incident energy's part of an image, slowest first: energy transfer, k, h.
    static func axes(of geometry: ImageGeometry, setting: Int) -> [MDHistogram.Axis] {
        func pixels(_ axis: ImageGeometry.PixelAxis, _ name: String) -> MDHistogram.Axis {
            MDHistogram.Axis(
                name: name, units: "r.l.u.", frame: "HKL",
                edges: (0...axis.count).map { axis.lowerEdge + Double($0) * axis.step })
        }
        /// `[H,-H,0]` of (1, −1, 0)
        func name(_ vector: [Double], _ letter: String) -> String {
            let parts = vector.map { part in
                switch part {
                case 0: "0"
                case 1: letter
                case -1: "-" + letter
                default: (part == part.rounded() ? "\(Int(part))" : "\(part)") + letter
                }
            }
            return "[" + parts.joined(separator: ",") + "]"
        }
        let (u, v) = (geometry.volume?.u ?? [1, 0, 0], geometry.volume?.v ?? [0, 1, 0])
        let (first, width) = (geometry.firstBinEdge(setting: setting), geometry.binWidth(setting: setting))
        return [
            MDHistogram.Axis(
                name: "DeltaE", units: "meV", frame: "General Frame",
                edges: (0...geometry.energyBins.count).map { first + Double($0) * width }),
            pixels(geometry.k, name(v, "K")), pixels(geometry.h, name(u, "H")),
        ]
    }
}
