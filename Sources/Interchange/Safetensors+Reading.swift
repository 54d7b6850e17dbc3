import Foundation
import Tensors

extension Safetensors {
    /// Reads the file at `path`.
    public static func read(path: String) throws(InterchangeError) -> Safetensors {
        try Safetensors(bytes: try AtomicFile.read(path), name: path)
    }

    /// Reads `bytes`, the whole content of a file; `name` is what errors call it.
    ///
    /// The arrays must fill the rest of the file exactly, without gaps and overlaps, so that nothing is hidden in it.
    public init(bytes: [UInt8], name: String) throws(InterchangeError) {
        func refuse(_ problem: String) -> InterchangeError {
            InterchangeError(problem, file: name, hint: "write it again with a safetensors library")
        }
        guard bytes.count >= 8 else { throw refuse("\(bytes.count) bytes are no safetensors file") }
        let stated = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard stated <= UInt64(Self.longestHeader), Int(stated) <= bytes.count - 8 else {
            throw refuse("its header should have \(stated) bytes, \(bytes.count - 8) are there")
        }
        let start = 8 + Int(stated)
        guard bytes[8..<start].first == UInt8(ascii: "{"),
            let header = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start])) as? [String: Any]
        else { throw refuse("its header is not a JSON object") }
        metadata = [:]
        tensors = [:]
        var parts: [Part] = []
        for (key, value) in header {
            if key == "__metadata__" {
                guard let texts = value as? [String: String] else { throw refuse("its metadata are not texts by name") }
                metadata = texts
                continue
            }
            guard let part = Part(key, value) else {
                throw refuse("array '\(key)' needs a dtype that is known, a shape and data_offsets that fit it")
            }
            parts.append(part)
        }
        var end = 0
        let ordered = parts.sorted {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        for part in ordered {
            guard part.range.lowerBound == end else {
                throw refuse("array '\(part.name)' begins at byte \(part.range.lowerBound) of the data, not at \(end)")
            }
            end = part.range.upperBound
            guard end <= bytes.count - start else {
                throw refuse("array '\(part.name)' ends at byte \(end), \(bytes.count - start) are there")
            }
            tensors[part.name] = part.tensor(bytes[start + part.range.lowerBound..<start + end])
        }
        guard end == bytes.count - start else {
            throw refuse("its arrays have \(end) bytes, \(bytes.count - start) are there")
        }
    }

    /// One array as the header declares it.
    private struct Part {
        var name: String
        var shape: [Int]
        /// Of the data, from the end of the header.
        var range: Range<Int>
        var type: Stored

        enum Stored: String {
            case u8 = "U8"
            case bool = "BOOL"
            case i32 = "I32"
            case i64 = "I64"
            case f16 = "F16"
            case bf16 = "BF16"
            case f32 = "F32"
            case f64 = "F64"

            var size: Int {
                switch self {
                case .u8, .bool: 1
                case .f16, .bf16: 2
                case .i32, .f32: 4
                case .i64, .f64: 8
                }
            }
        }

        init?(_ name: String, _ value: Any) {
            guard let fields = value as? [String: Any], fields.count == 3, let code = fields["dtype"] as? String,
                let type = Stored(rawValue: code), let shape = Self.wholeNumbers(fields["shape"]),
                let offsets = Self.wholeNumbers(fields["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1]
            else { return nil }
            var size = type.size
            for extent in shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                if overflow { return nil }
                size = product
            }
            guard offsets[1] - offsets[0] == size else { return nil }
            self.name = name
            self.shape = shape
            self.range = offsets[0]..<offsets[1]
            self.type = type
        }

        /// Whole numbers that are not negative; 1.5, true and 1e300 are none.
        private static func wholeNumbers(_ value: Any?) -> [Int]? {
            guard let list = value as? [NSNumber] else { return nil }
            var numbers: [Int] = []
            for number in list {
                // Truth values are numbers to Foundation, of type "c".
                guard String(cString: number.objCType) != "c", let whole = Int(number.stringValue), whole >= 0 else {
                    return nil
                }
                numbers.append(whole)
            }
            return numbers
        }

        func tensor(_ bytes: ArraySlice<UInt8>) -> AnyTensor? {
            switch type {
            case .u8, .bool: return AnyTensor(elementType: .uint8, shape: shape, bytes: bytes)
            case .i32: return AnyTensor(elementType: .int32, shape: shape, bytes: bytes)
            case .i64: return AnyTensor(elementType: .int64, shape: shape, bytes: bytes)
            case .f32: return AnyTensor(elementType: .float32, shape: shape, bytes: bytes)
            case .f64: return AnyTensor(elementType: .float64, shape: shape, bytes: bytes)
            case .f16, .bf16:
                let numbers = (0..<bytes.count / 2).map { index -> Float in
                    let at = bytes.startIndex + 2 * index
                    let bits = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
                    return type == .bf16 ? Float(bitPattern: UInt32(bits) << 16) : Self.float(half: bits)
                }
                return .float32(Tensor(shape: shape, elements: numbers))
            }
        }

        /// IEEE 754 binary16, exactly.
        private static func float(half bits: UInt16) -> Float {
            let sign: Float = bits & 0x8000 == 0 ? 1 : -1
            let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
            switch exponent {
            case 0: return sign * fraction * 0x1p-24
            case 31: return fraction == 0 ? sign * .infinity : .nan
            default:
                return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
            }
        }
    }
}
