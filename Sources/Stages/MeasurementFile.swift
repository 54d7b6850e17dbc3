import Artifacts
import Dataflow
import Instruments
import Interchange
import Tensors

/// A measured image as its files hold it, on the graph's geometry.
struct MeasurementFile {
    /// Intensities, [rows, columns]; 0 where `missing`.
    var image: Tensor<Double>
    /// 1 where the files say that nothing was measured, [rows, columns].
    var missing: Tensor<UInt8>
    /// Standard deviations, [rows, columns]; nil where the files have none.
    var error: Tensor<Double>?
    /// What each run says of ki/kf, in the files' order; empty without runs.
    var scalings: [Bool?] = []

    /// Whether the intensities were multiplied by ki/kf; nil where not all files say so.
    var isScaledByKiOverKf: Bool? { Set(scalings).count == 1 ? scalings[0] : nil }

    /// An image that no file has said anything of.
    private init(empty geometry: ImageGeometry) {
        image = Tensor(shape: geometry.shape, repeating: 0)
        missing = Tensor(shape: geometry.shape, repeating: 1)
        error = Tensor(shape: geometry.shape, repeating: 0)
    }

    /// Reads bound files, `{path, content}`: one with the whole image, or one for each incident energy, in their order.
    ///
    /// A file that cannot be read, or is no longer the one in the step's key, is the machine's failure and is not
    /// remembered; one that holds no image of this geometry is.
    init(_ files: [Value], _ geometry: ImageGeometry) throws {
        self.init(empty: geometry)
        for (index, file) in files.enumerated() {
            let path = try file.string("path")
            let bytes = try AtomicFile.read(path)
            try requireUnchanged(Digest(of: bytes), file)
            do {
                switch Self.form(path, bytes) {
                case .array:
                    try requireAlone(files, path)
                    try place(try NPY.decode(bytes: bytes, name: path), path, geometry)
                case .archive:
                    try requireAlone(files, path)
                    try place(archive: try NPZ.decode(bytes: bytes, name: path), path, geometry)
                case .hdf5:
                    try place(try HDF5File(bytes: bytes, name: path), file: index, of: files.count, geometry)
                case .cut:
                    let cut = try Self.cut(bytes, path)
                    try place(cut, path, file: index, of: files.count, geometry)
                }
            } catch let error as InterchangeError {
                throw Self.failure(error)
            }
        }
        if error?.elements.allSatisfy({ $0 == 0 }) ?? true { error = nil }
    }

    /// The problems of a file in one text: `file: message`, or a line each `file:line:column: message`.
    private static func failure(_ error: InterchangeError) -> StepFailure {
        guard error.range != nil else { return StepFailure("\(error.file): \(error.message)", hint: error.hint) }
        let lines = error.diagnostics.map { problem in
            let place = problem.range.map { "\($0.file):\($0.line):\($0.column): " } ?? ""
            return place + problem.message
        }
        return StepFailure(lines.joined(separator: "\n"), hint: error.hint)
    }

    private enum Form { case array, archive, hdf5, cut }

    /// By the content, since the step's key knows nothing of the name. The name only decides what an error is about.
    private static func form(_ path: String, _ bytes: [UInt8]) -> Form {
        if HDF5File.isHDF5(bytes) { return .hdf5 }
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) { return .archive }
        // Text, if need be with comments in another encoding than UTF-8. NumPy's files begin with 0x93.
        if !bytes.contains(0), bytes.first != 0x93 { return .cut }
        return ["nxs", "nxspe", "h5", "hdf5", "hdf"].contains(suffix(path)) ? .hdf5 : .array
    }

    private static func suffix(_ path: String) -> String {
        path.split(separator: "/").last?.split(separator: ".").last?.lowercased() ?? ""
    }

    private static func cut(_ bytes: [UInt8], _ path: String) throws(InterchangeError) -> CutTable {
        do {
            return try CutTable(parsing: String(decoding: bytes, as: UTF8.self), file: path)
        } catch {
            // A text that is called an array, or a histogram, was meant as one.
            switch suffix(path) {
            case "npy", "npz": _ = try NPY.decode(bytes: bytes, name: path)
            case "nxs", "nxspe", "h5", "hdf5", "hdf": _ = try HDF5File(bytes: bytes, name: path)
            default: break
            }
            throw error
        }
    }

    private func requireAlone(_ files: [Value], _ path: String) throws {
        guard files.count == 1 else {
            throw StepFailure(
                "\(path): one of \(files.count) files, but an array file holds the whole image",
                hint: "give one .npy or .npz file, or one .nxs file for each incident energy")
        }
    }

    // MARK: NumPy's files

    private mutating func place(_ tensor: AnyTensor, _ path: String, _ geometry: ImageGeometry) throws {
        guard tensor.shape == geometry.shape else {
            let energies = geometry.settings.count == 1 ? "energy" : "energies"
            throw StepFailure(
                "\(path): the image has shape \(tensor.shape), the graph's geometry needs \(geometry.shape)",
                hint: "\(geometry.settings.count) incident \(energies) × \(geometry.h.count) rows by "
                    + "\(geometry.energyBins.count) energy bins × \(geometry.k.count) columns; see the resolution node")
        }
        image = tensor.asFloat64
        if let bad = image.elements.firstIndex(where: { !$0.isFinite }) {
            let count = image.elements.count { !$0.isFinite }
            throw StepFailure(
                "\(path): \(image.elements[bad]) at row \(bad / geometry.columns), column \(bad % geometry.columns) "
                    + "(\(count) such pixel\(count == 1 ? "" : "s"))",
                hint: "give pixels without data the value 0 and mark them in mask-path")
        }
        missing = Tensor(shape: geometry.shape, repeating: 0)
    }

    /// The array `image`, or the only one; with `error` and `mask` where they are there.
    private mutating func place(archive: [String: AnyTensor], _ path: String, _ geometry: ImageGeometry) throws {
        guard let found = archive["image"] ?? (archive.count == 1 ? archive.first?.value : nil) else {
            throw StepFailure(
                "\(path): no array is called 'image'",
                hint: "the arrays are \(archive.keys.sorted().joined(separator: ", ")); "
                    + "numpy.savez(FILE, image=…, error=…, mask=…)")
        }
        try place(found, "\(path)[image]", geometry)
        if let errors = archive["error"] {
            guard errors.shape == geometry.shape, errors.asFloat64.elements.allSatisfy({ $0 >= 0 && $0.isFinite })
            else {
                throw StepFailure(
                    "\(path)[error]: not an array of the image's shape \(geometry.shape) with numbers from 0 on",
                    hint: "standard deviations are expected, 0 where nothing was measured")
            }
            error = errors.asFloat64
        }
        if let mask = archive["mask"] {
            guard mask.shape == geometry.shape else {
                throw StepFailure(
                    "\(path)[mask]: the mask has shape \(mask.shape), the image needs \(geometry.shape)",
                    hint: "save it with the image's rows and columns")
            }
            missing = Tensor(shape: mask.shape, elements: mask.asFloat64.elements.map { $0 == 0 ? 0 : 1 })
        }
    }

    /// - Precondition: the pixel was not set before.
    mutating func set(row: Int, column: Int, intensity: Double, error sigma: Double) {
        let index = row * image.shape[1] + column
        image.elements[index] = intensity
        missing.elements[index] = 0
        error?.elements[index] = sigma
    }
}
