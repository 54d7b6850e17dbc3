import Artifacts
import Compute
import Dataflow
import Diagnostics
import Interchange
import Presentation
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
        try check(arrays)
        for (name, array) in arrays { bytes[name, default: []] += array.bytes }
    }

    /// Counts a sample whose arrays are like those before it.
    mutating func check(_ arrays: [String: AnyTensor]) throws {
        if count == 0 {
            for (name, array) in arrays { (elementTypes[name], shapes[name]) = (array.elementType, array.shape) }
        }
        let names = Set(arrays.keys).symmetricDifference(shapes.keys)
        if let name = names.min() { throw mismatch("'\(name)' is not in all samples", name) }
        for (name, array) in arrays {
            guard shapes[name] == array.shape, elementTypes[name] == array.elementType else {
                throw mismatch("'\(name)' is \(shapes[name] ?? []) in sample 0 and \(array.shape) in this one", name)
            }
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
    ///
    /// A .npy is written sample by sample, however many there are; the other formats are put together in memory.
    func write(
        samples count: Int, type: PortType, to path: String, value: (Int) throws -> Value
    ) throws {
        if self == .npy { return try writeStream(samples: count, type: type, to: path, value: value) }
        if self == .csv, type == "parameters" {
            let values = try (0..<count).map(value)
            guard case .record(let first)? = try values.first?.field("parameters") else { return }
            var columns = [CSV.Column("sample", Array(values.indices))]
            for name in first.keys.sorted() {
                columns.append(.init("\(name) (meV)", try values.map { try $0.field("parameters").double(name) }))
            }
            return try AtomicFile.write(Array(CSV.encode(columns: columns, name: path).utf8), to: path)
        }
        var stack = SampleStack()
        for sample in 0..<count {
            let value = try value(sample)
            let arrays = self == .csv ? ["": try main(value, type)] : try arrays(in: value)
            if sample == 0 { try requireRoom(for: arrays, samples: count) }
            try stack.append(arrays)
        }
        let arrays = try stack.arrays()
        switch self {
        case .npz: try NPZ.write(arrays, to: path)
        case .safetensors: try Safetensors(tensors: arrays).write(to: path)
        default:
            guard let array = arrays[""] else { return }
            try AtomicFile.write(Array(CSV.encode(array, name: path).utf8), to: path)
        }
    }

    private func writeStream(
        samples count: Int, type: PortType, to path: String, value: (Int) throws -> Value
    ) throws {
        var stack = SampleStack()
        try AtomicFile.write(to: path) { append in
            for sample in 0..<count {
                let array = try main(try value(sample), type)
                try stack.check(["": array])
                if sample == 0 { try append(NPY.header(array.elementType, shape: [count] + array.shape)) }
                try append(array.bytes)
            }
        }
    }

    /// Arrays are held once as they are and once as the file's bytes.
    private func requireRoom(for arrays: [String: AnyTensor], samples: Int) throws {
        let size = arrays.values.reduce(0) { $0 + $1.bytes.count } * samples
        guard let memory = Machine.memory(), 3 * size > memory.available else { return }
        let (needed, free) = (Wording.bytes(3 * size), Wording.bytes(memory.available))
        throw Diagnostic(
            "all samples in one .\(rawValue) take about \(needed) of memory, and \(free) are free",
            hint: "write .npy, which is written piece by piece, or samples one by one: NODE#0, NODE#1, …")
    }
}
