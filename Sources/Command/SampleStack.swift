import Artifacts
import Dataflow
import Diagnostics
import Interchange
import Stages
import Tensors

/// Arrays of all samples of a node, one behind the other along a new first axis.
struct SampleStack {
    private var elementTypes: [String: ElementType] = [:]
    private var shapes: [String: [Int]] = [:]
    private var bytes: [String: [UInt8]] = [:]
    private(set) var count = 0

    /// - Throws: a diagnostic where a sample has other arrays than those before it.
    mutating func append(_ arrays: [String: AnyTensor]) throws {
        if count == 0 {
            for (name, array) in arrays { (elementTypes[name], shapes[name]) = (array.elementType, array.shape) }
        }
        let names = Set(arrays.keys).symmetricDifference(shapes.keys)
        if let name = names.min() { throw mismatch("'\(name)' is not in all samples", name) }
        for (name, array) in arrays {
            guard shapes[name] == array.shape, elementTypes[name] == array.elementType else {
                throw mismatch("'\(name)' is \(shapes[name] ?? []) in sample 0 and \(array.shape) in this one", name)
            }
            bytes[name, default: []] += array.bytes
        }
        count += 1
    }

    /// [samples, …] by name.
    func arrays() throws -> [String: AnyTensor] {
        var stacked: [String: AnyTensor] = [:]
        for (name, shape) in shapes {
            guard let type = elementTypes[name],
                let tensor = AnyTensor(elementType: type, shape: [count] + shape, bytes: bytes[name] ?? [])
            else { throw mismatch("'\(name)' does not fill its shape", name) }
            stacked[name] = tensor
        }
        return stacked
    }

    private func mismatch(_ problem: String, _ name: String) -> Diagnostic {
        Diagnostic(
            "the samples cannot be put into one array: \(problem) (sample \(count))",
            hint: "export samples one by one: NODE#0, NODE#1, …")
    }
}

extension ExportKind {
    static let forAllSamples = [ExportKind.npy, .npz, .csv, .safetensors]

    /// Writes all samples into one file: arrays with the samples along the first axis, or, as .csv, a line a sample.
    func write(samples values: [Value], type: PortType, to path: String) throws {
        if self == .csv, type == "parameters" {
            guard case .record(let first)? = try values.first?.field("parameters") else { return }
            var columns = [CSV.Column("sample", Array(values.indices))]
            for name in first.keys.sorted() {
                columns.append(.init("\(name) (meV)", try values.map { try $0.field("parameters").double(name) }))
            }
            return try AtomicFile.write(Array(CSV.encode(columns: columns, name: path).utf8), to: path)
        }
        var stack = SampleStack()
        for value in values {
            try stack.append(self == .npz || self == .safetensors ? arrays(in: value) : ["": main(value, type)])
        }
        let arrays = try stack.arrays()
        switch self {
        case .npz: try NPZ.write(arrays, to: path)
        case .safetensors: try Safetensors(tensors: arrays).write(to: path)
        case .csv:
            guard let array = arrays[""] else { return }
            try AtomicFile.write(Array(CSV.encode(array, name: path).utf8), to: path)
        default:
            guard let array = arrays[""] else { return }
            try NPY.write(array, to: path)
        }
    }
}
