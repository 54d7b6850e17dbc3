import CZip
import Tensors

/// NumPy's archive of named arrays, `.npz`: a zip file with one `.npy` for each name. All use of libzip is here.
public enum NPZ {
    /// Reads every array of the archive at `path`.
    public static func read(path: String) throws(InterchangeError) -> [String: AnyTensor] {
        try decode(bytes: try AtomicFile.read(path), name: path)
    }

    /// Reads every array of the archive in `bytes`; `name` is what errors call it.
    public static func decode(bytes: [UInt8], name: String) throws(InterchangeError) -> [String: AnyTensor] {
        var arrays: [String: AnyTensor] = [:]
        for (entry, content) in try entries(of: bytes, name: name) {
            guard entry.hasSuffix(".npy") else {
                throw InterchangeError(
                    "the archive has an entry '\(entry)' that is no array", file: name,
                    hint: "an .npz file holds .npy files alone: write it with numpy.savez")
            }
            arrays[String(entry.dropLast(4))] = try NPY.decode(bytes: content, name: "\(name)[\(entry.dropLast(4))]")
        }
        return arrays
    }

    /// The bytes of an archive, deflated, entries sorted by name and dated 1980-01-01: same arrays, same bytes.
    ///
    /// Names become file names in the archive: empty ones and those with a NUL are errors.
    public static func encode(
        _ arrays: [String: AnyTensor], name: String = "the archive"
    ) throws(InterchangeError) -> [UInt8] {
        for key in arrays.keys where key.isEmpty || key.utf8.contains(0) {
            throw InterchangeError("an array cannot be called '\(key)'", file: name, hint: "give it a plain name")
        }
        var error = zip_error_t()
        guard let source = zip_source_buffer_create(nil, 0, 0, &error) else { throw failed("create", name, &error) }
        // One reference for us, one for the archive, which zip_close gives up.
        zip_source_keep(source)
        defer { zip_source_free(source) }
        guard let archive = zip_open_from_source(source, ZIP_TRUNCATE, &error) else {
            zip_source_free(source)
            throw failed("create", name, &error)
        }
        var buffers: [UnsafeMutableRawBufferPointer] = []
        // libzip reads the arrays when it closes the archive, so they must stay until then.
        defer { for buffer in buffers { buffer.deallocate() } }
        for (key, tensor) in arrays.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let bytes = NPY.encode(tensor)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
            buffer.copyBytes(from: bytes)
            buffers.append(buffer)
            guard let entry = zip_source_buffer(archive, buffer.baseAddress, UInt64(bytes.count), 0) else {
                throw discarding(archive, "add '\(key)' to", name)
            }
            let index = zip_file_add(archive, key + ".npy", entry, zip_flags_t(ZIP_FL_ENC_UTF_8))
            guard index >= 0 else {
                zip_source_free(entry)
                throw discarding(archive, "add '\(key)' to", name)
            }
            // 33 is 1980-01-01, the first day of the zip calendar.
            guard zip_file_set_dostime(archive, UInt64(index), 0, 33, 0) == 0 else {
                throw discarding(archive, "date '\(key)' in", name)
            }
        }
        guard zip_close(archive) == 0 else { throw discarding(archive, "finish", name) }
        if arrays.isEmpty {
            // libzip makes no file for no entries; this is the end record of an empty archive.
            return [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)
        }
        var status = zip_stat_t()
        guard zip_source_stat(source, &status) == 0, zip_source_open(source) == 0 else {
            throw InterchangeError("cannot read the finished archive back", file: name)
        }
        defer { zip_source_close(source) }
        var bytes = [UInt8](repeating: 0, count: Int(status.size))
        guard zip_source_read(source, &bytes, status.size) == Int64(status.size) else {
            throw InterchangeError("cannot read the finished archive back", file: name)
        }
        return bytes
    }

    /// Writes `arrays` to `path`, atomically.
    public static func write(_ arrays: [String: AnyTensor], to path: String) throws(InterchangeError) {
        try AtomicFile.write(try encode(arrays, name: path), to: path)
    }

    /// Every entry of the archive with its content.
    private static func entries(
        of bytes: [UInt8], name: String
    ) throws(InterchangeError) -> [(name: String, content: [UInt8])] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        var error = zip_error_t()
        guard let source = zip_source_buffer_create(buffer.baseAddress, UInt64(bytes.count), 0, &error) else {
            throw failed("open", name, &error)
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) else {
            zip_source_free(source)
            throw failed("open", name, &error)
        }
        defer { zip_discard(archive) }
        var entries: [(name: String, content: [UInt8])] = []
        for index in 0..<UInt64(max(0, zip_get_num_entries(archive, 0))) {
            guard let rawName = zip_get_name(archive, index, 0) else { throw message("list", name, of: archive) }
            let entry = String(cString: rawName)
            guard let file = zip_fopen_index(archive, index, 0) else {
                throw message("read '\(entry)' of", name, of: archive)
            }
            defer { zip_fclose(file) }
            entries.append((entry, try content(of: file, entry: entry, name: name)))
        }
        return entries
    }

    /// Reads to the end in growing pieces: the size that a damaged archive claims is not trusted.
    private static func content(
        of file: OpaquePointer, entry: String, name: String
    ) throws(InterchangeError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = zip_fread(file, &piece, UInt64(piece.count))
            if count == 0 { return bytes }
            guard count > 0 else {
                let text = String(cString: zip_error_strerror(zip_file_get_error(file)))
                throw InterchangeError("cannot read '\(entry)': \(text)", file: name, hint: damagedHint)
            }
            bytes += piece[..<Int(count)]
        }
    }

    private static let damagedHint = "the archive is damaged or not a zip file: copy or save it again with numpy.savez"

    private static func failed(_ what: String, _ name: String, _ error: inout zip_error_t) -> InterchangeError {
        defer { zip_error_fini(&error) }
        let text = String(cString: zip_error_strerror(&error))
        return InterchangeError("cannot \(what) the archive: \(text)", file: name, hint: damagedHint)
    }

    private static func message(_ what: String, _ name: String, of archive: OpaquePointer) -> InterchangeError {
        let text = String(cString: zip_error_strerror(zip_get_error(archive)))
        return InterchangeError("cannot \(what) the archive: \(text)", file: name, hint: damagedHint)
    }

    private static func discarding(_ archive: OpaquePointer, _ what: String, _ name: String) -> InterchangeError {
        defer { zip_discard(archive) }
        return message(what, name, of: archive)
    }
}
