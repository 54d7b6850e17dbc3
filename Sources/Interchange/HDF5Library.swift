import CHDF5
import Foundation
import Tensors

/// All use of the HDF5 library is here, and it only writes: one call at a time, silent, files in memory.
///
/// What the library cannot do is an `InterchangeError` with the library's innermost reason.
enum HDF5Library {
    /// The library is global, and not every build of it may be called from several threads.
    private static let lock = NSRecursiveLock()
    private nonisolated(unsafe) static var filesSoFar = 0

    static func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        // The library keeps this for each thread.
        chdf5_quieten()
        return try body()
    }

    /// Why the last call failed that did. Giving back a handle makes the library forget, so that it is noted at once.
    private nonisolated(unsafe) static var reason = ""

    /// Whether a call succeeded; notes why it did not.
    static func succeeded(_ status: some BinaryInteger) -> Bool {
        if status >= 0 { return true }
        var text = [CChar](repeating: 0, count: 256)
        chdf5_last_error(&text, text.count)
        reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return false
    }

    /// An error of the call that just failed.
    static func failure(_ what: String, _ file: String) -> InterchangeError {
        defer { reason = "" }
        return InterchangeError(
            reason.isEmpty ? what : "\(what): \(reason)", file: file,
            hint: "write it as .npz, and please report this")
    }

    /// A name that no open file has: files of one name would share what is in memory.
    private static func nextName() -> String {
        filesSoFar += 1
        return "spinweave-memory-\(filesSoFar)"
    }

    static func create(_ name: String) throws(InterchangeError) -> HDF5Handle {
        guard let handle = HDF5Handle(chdf5_create_image(nextName())) else { throw failure("cannot create", name) }
        return handle
    }

    /// The bytes of a file that was made in memory.
    static func image(of file: HDF5Handle, _ name: String) throws(InterchangeError) -> [UInt8] {
        guard succeeded(H5Fflush(file.id, H5F_SCOPE_GLOBAL)) else { throw failure("cannot finish", name) }
        let size = H5Fget_file_image(file.id, nil, 0)
        guard size > 0 else { throw failure("cannot finish", name) }
        var bytes = [UInt8](repeating: 0, count: size)
        guard H5Fget_file_image(file.id, &bytes, size) == size else { throw failure("cannot finish", name) }
        return bytes
    }

    // MARK: Writing

    static func makeGroup(
        _ name: String, in parent: HDF5Handle, _ file: String
    ) throws(InterchangeError) -> HDF5Handle {
        guard let group = HDF5Handle(H5Gcreate2(parent.id, name, 0, 0, 0)) else {
            throw failure("cannot make the group '\(name)'", file)
        }
        return group
    }

    static func write(
        _ attribute: HDF5Attribute, named name: String, to object: HDF5Handle, _ file: String
    ) throws(InterchangeError) {
        guard let space = HDF5Handle(H5Screate(H5S_SCALAR)) else { throw failure("cannot write '\(name)'", file) }
        func put(_ stored: hid_t, _ memory: hid_t, _ value: UnsafeRawPointer) -> Bool {
            guard let made = HDF5Handle(H5Acreate2(object.id, name, stored, space.id, 0, 0)) else { return false }
            return succeeded(H5Awrite(made.id, memory, value))
        }
        let isWritten: Bool
        switch attribute {
        case .text(let text):
            guard let type = fixedText(text) else { throw failure("cannot write '\(name)'", file) }
            isWritten = put(type.id, type.id, Array(text.utf8) + [0])
        case .int32(var value): isWritten = put(chdf5_int32(), chdf5_native_int32(), &value)
        case .double(var value): isWritten = put(chdf5_float64(), chdf5_native_double(), &value)
        }
        if !isWritten { throw failure("cannot write '\(name)'", file) }
    }

    /// A text type that ends with a NUL and holds exactly this text.
    private static func fixedText(_ text: String) -> HDF5Handle? {
        guard let type = HDF5Handle(H5Tcreate(H5T_STRING, text.utf8.count + 1)) else { return nil }
        if !text.utf8.allSatisfy({ $0 < 128 }) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
        return type
    }

    static func write(
        text: String, named name: String, in group: HDF5Handle, _ file: String
    ) throws(InterchangeError) -> HDF5Handle {
        guard let type = fixedText(text), let space = HDF5Handle(H5Screate_simple(1, [1], nil)),
            let creation = HDF5Handle(chdf5_dataset_creation()),
            let made = HDF5Handle(H5Dcreate2(group.id, name, type.id, space.id, 0, creation.id, 0)),
            succeeded(H5Dwrite(made.id, type.id, 0, 0, 0, Array(text.utf8) + [0]))
        else { throw failure("cannot write '\(name)'", file) }
        return made
    }

    static func write(
        _ numbers: AnyTensor, as stored: HDF5Dataset.Number, chunk: [Int]?, named name: String, in group: HDF5Handle,
        _ file: String
    ) throws(InterchangeError) -> HDF5Handle {
        let extents = numbers.shape.map { hsize_t($0) }
        let space = HDF5Handle(
            extents.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil))
        guard let space, let creation = HDF5Handle(chdf5_dataset_creation()) else {
            throw failure("cannot write '\(name)'", file)
        }
        if let chunk, !extents.isEmpty {
            guard succeeded(H5Pset_chunk(creation.id, Int32(chunk.count), chunk.map { hsize_t($0) })),
                succeeded(H5Pset_deflate(creation.id, 6))
            else { throw failure("cannot write '\(name)'", file) }
        }
        guard let made = HDF5Handle(H5Dcreate2(group.id, name, id(of: stored), space.id, 0, creation.id, 0)) else {
            throw failure("cannot write '\(name)'", file)
        }
        let status = numbers.withBytes {
            H5Dwrite(made.id, memoryType(of: numbers.elementType), 0, 0, 0, $0.baseAddress)
        }
        guard succeeded(status) else { throw failure("cannot write '\(name)'", file) }
        return made
    }

    private static func id(of number: HDF5Dataset.Number) -> hid_t {
        switch number {
        case .int8: chdf5_int8()
        case .uint8: chdf5_uint8()
        case .int32: chdf5_int32()
        case .uint32: chdf5_uint32()
        case .int64: chdf5_int64()
        case .float32: chdf5_float32()
        case .float64: chdf5_float64()
        }
    }

    private static func memoryType(of type: ElementType) -> hid_t {
        switch type {
        case .uint8: chdf5_native_uint8()
        case .int32: chdf5_native_int32()
        case .int64: chdf5_native_int64()
        case .float32: chdf5_native_float()
        case .float64: chdf5_native_double()
        }
    }
}

/// One of the library's objects, given back when nothing holds it any more.
final class HDF5Handle {
    let id: hid_t

    /// nil where the call that gave `id` failed.
    init?(_ id: hid_t) {
        guard HDF5Library.succeeded(id) else { return nil }
        self.id = id
    }

    deinit {
        let id = id
        _ = HDF5Library.locked { () throws(Never) in H5Idec_ref(id) }
    }
}
