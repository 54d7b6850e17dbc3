import Tensors

/// The element types of `.npy` files that are read.
enum NPYElementType: String {
    case bool = "b1"
    case int8 = "i1"
    case int16 = "i2"
    case int32 = "i4"
    case int64 = "i8"
    case uint8 = "u1"
    case uint16 = "u2"
    case uint32 = "u4"
    case uint64 = "u8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    /// NumPy's name, for messages.
    var name: String { String(describing: self) }

    /// Bytes of one element.
    var size: Int { Int(rawValue.suffix(1)) ?? 1 }

    /// Reads a type description such as `<f8`.
    static func parse(
        _ descr: PythonLiteral, name: String
    ) throws(InterchangeError) -> (type: NPYElementType, bigEndian: Bool) {
        guard case .string(let text) = descr else {
            throw InterchangeError(
                "the array has named fields; arrays of plain numbers are read", file: name,
                hint: "save one field at a time: numpy.save(path, array['field'])")
        }
        var code = text[...]
        var bigEndian = false
        if let order = code.first, "<>|=".contains(order) {
            bigEndian = order == ">"
            code.removeFirst()
        }
        if let type = NPYElementType(rawValue: code == "?" ? "b1" : String(code)) { return (type, bigEndian) }
        throw refusal(of: text, code: code, name: name)
    }

    private static func refusal(of text: String, code: Substring, name: String) -> InterchangeError {
        let (kind, hint): (String, String) =
            switch code.first {
            case "f": ("long double numbers", "save array.astype('float64')")
            case "c": ("complex numbers", "save array.real and array.imag apart")
            case "O": ("Python objects", "save an array of numbers: array.astype('float64')")
            case "S", "a", "U", "T": ("text", "save an array of numbers")
            case "M", "m": ("dates or durations", "save array.astype('int64') with a unit of your choice")
            case "V": ("raw records", "save one field at a time: numpy.save(path, array['field'])")
            default: ("elements of a type unknown here", "save array.astype('float64')")
            }
        return InterchangeError(
            "the array holds \(kind) (dtype '\(text)'); whole numbers up to 64 bits, float16, float32, float64 and"
                + " bool are read",
            file: name, hint: hint)
    }
}

extension NPYHeader {
    /// The tensor that `data` holds: bytes put in order, elements widened, Fortran order turned into C order.
    ///
    /// - Precondition: `data` has `count` elements of `type`.
    func tensor(from data: ArraySlice<UInt8>, count: Int, name: String) throws(InterchangeError) -> AnyTensor {
        let size = type.size
        let bytes = bigEndian && size > 1 ? Self.swapped(data, size: size) : Array(data)
        func word(_ index: Int) -> UInt64 {
            var word: UInt64 = 0
            for i in 0..<size { word |= UInt64(bytes[index * size + i]) << UInt64(8 * i) }
            return word
        }
        func same(_ elementType: ElementType) throws(InterchangeError) -> AnyTensor {
            guard let tensor = AnyTensor(elementType: elementType, shape: shape, bytes: bytes) else {
                throw InterchangeError("\(summary) does not fill its shape with \(bytes.count) bytes", file: name)
            }
            return tensor
        }
        func widened<E: TensorElement>(_ element: (UInt64) -> E) -> Tensor<E> {
            Tensor(shape: shape, elements: (0..<count).map { element(word($0)) })
        }
        let tensor: AnyTensor
        switch type {
        case .bool: tensor = .uint8(Tensor(shape: shape, elements: bytes.map { $0 == 0 ? 0 : 1 }))
        case .uint8: tensor = try same(.uint8)
        case .int8: tensor = .int32(widened { Int32(Int8(truncatingIfNeeded: $0)) })
        case .int16: tensor = .int32(widened { Int32(Int16(truncatingIfNeeded: $0)) })
        case .uint16: tensor = .int32(widened { Int32($0) })
        case .int32: tensor = try same(.int32)
        case .uint32: tensor = .int64(widened { Int64($0) })
        case .int64: tensor = try same(.int64)
        case .uint64:
            if let index = (0..<count).first(where: { word($0) > UInt64(Int64.max) }) {
                throw InterchangeError(
                    "element \(index) of \(summary) is \(word(index)), above the largest int64", file: name,
                    hint: "save array.astype('float64')")
            }
            tensor = try same(.int64)
        case .float16: tensor = .float32(widened { Float(Float16(bitPattern: UInt16($0))) })
        case .float32: tensor = try same(.float32)
        case .float64: tensor = try same(.float64)
        }
        return fortranOrder ? tensor.fromFortranOrder() : tensor
    }

    private static func swapped(_ data: ArraySlice<UInt8>, size: Int) -> [UInt8] {
        let start = data.startIndex
        return data.indices.map { data[start + ($0 - start) / size * size + size - 1 - ($0 - start) % size] }
    }
}

extension AnyTensor {
    /// The same array, for elements that were stored with the first index fastest.
    fileprivate func fromFortranOrder() -> AnyTensor {
        switch self {
        case .uint8(let t): .uint8(t.fromFortranOrder())
        case .int32(let t): .int32(t.fromFortranOrder())
        case .int64(let t): .int64(t.fromFortranOrder())
        case .float32(let t): .float32(t.fromFortranOrder())
        case .float64(let t): .float64(t.fromFortranOrder())
        }
    }
}

extension Tensor {
    fileprivate func fromFortranOrder() -> Tensor {
        if shape.count < 2 || count == 0 { return self }
        var strides: [Int] = []
        var stride = 1
        for extent in shape {
            strides.append(stride)
            stride *= extent
        }
        var indices = [Int](repeating: 0, count: shape.count)
        var source = 0
        var result: [Element] = []
        result.reserveCapacity(count)
        for _ in 0..<count {
            result.append(elements[source])
            for axis in shape.indices.reversed() {
                indices[axis] += 1
                source += strides[axis]
                if indices[axis] < shape[axis] { break }
                source -= indices[axis] * strides[axis]
                indices[axis] = 0
            }
        }
        return Tensor(shape: shape, elements: result)
    }
}
