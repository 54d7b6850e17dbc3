import Foundation

/// A table as its parent describes it (`MDB_db`).
struct PageTable: Sendable {
    static let size = 48

    var flags: Int
    var depth: Int
    /// nil for an empty table.
    var root: UInt64?

    init(_ bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        flags = bytes.half(4)
        depth = bytes.half(6)
        let page = bytes.word(40)
        root = page == .max ? nil : page
    }
}

/// The data file of an environment, by its two first pages; all reads are plain reads of the file.
struct PageFile: Sendable {
    struct Meta: Sendable {
        var free: PageTable
        var main: PageTable
        var lastPage: Int
        var transaction: UInt64
    }

    let size: Int
    let pageSize: Int
    /// Both first pages, or fewer where they are damaged.
    let metas: [Meta]
    private let handle: Handle

    private final class Handle: Sendable {
        let descriptor: Int32
        let isOurs: Bool

        init(_ descriptor: Int32, isOurs: Bool) {
            self.descriptor = descriptor
            self.isOurs = isOurs
        }

        deinit { if isOurs { close(descriptor) } }

        func read(_ count: Int, at offset: Int) -> [UInt8]? {
            var isWhole = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
                let got = pread(descriptor, buffer.baseAddress, count, offset)
                isWhole = got == count
                initialised = max(0, got)
            }
            return isWhole ? bytes : nil
        }
    }

    init(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Environment.error(errno, path: path, operation: "read") }
        try self.init(Handle(descriptor, isOurs: true), path: path)
    }

    /// Reads through a descriptor that stays open meanwhile: the file may have no name any more.
    init(descriptor: Int32, path: String) throws(StoreError) {
        try self.init(Handle(descriptor, isOurs: false), path: path)
    }

    private init(_ handle: Handle, path: String) throws(StoreError) {
        self.handle = handle
        var status = stat()
        guard fstat(handle.descriptor, &status) == 0 else {
            throw Environment.error(errno, path: path, operation: "read")
        }
        size = Int(status.st_size)
        var metas: [Meta] = []
        let first = handle.read(152, at: 0)
        // Both copies give the page size; the second cannot be found without it, so try the usual ones.
        let sizes = (first.map { [$0.quarter(40)] } ?? []) + [4096, 8192, 16384, 32768, 65536]
        var pageSize = 4096
        for candidate in sizes where candidate >= 512 && candidate <= 65536 && candidate & (candidate - 1) == 0 {
            guard let second = handle.read(152, at: candidate), second.quarter(16) == 0xBEEF_C0DE else { continue }
            pageSize = candidate
            break
        }
        self.pageSize = pageSize
        for number in 0...1 {
            guard let bytes = handle.read(152, at: number * pageSize),
                bytes.half(10) & 8 == 8, bytes.quarter(16) == 0xBEEF_C0DE, bytes.quarter(20) == 1,
                bytes.quarter(40) == pageSize, bytes.word(32) < 1 << 46, bytes.word(136) < 1 << 36,
                bytes.word(136) >= 1, bytes.word(24) == 0, bytes.word(0) == UInt64(number)
            else { continue }
            let meta = Meta(
                free: PageTable(bytes[40..<88]), main: PageTable(bytes[88..<136]), lastPage: Int(bytes.word(136)),
                transaction: bytes.word(144))
            guard meta.free.flags == 8, meta.main.flags == 0 else { continue }
            metas.append(meta)
        }
        self.metas = metas
    }

    /// Reads page `number` into `buffer`, which holds one page.
    func readPage(_ number: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard number >= 0, number < size / pageSize else { return false }
        return pread(handle.descriptor, buffer.baseAddress, pageSize, number * pageSize) == pageSize
    }

    func header(_ number: Int) -> [UInt8]? { bytes(at: number * pageSize, count: 16) }

    func bytes(at offset: Int, count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, count <= size - offset else { return nil }
        return handle.read(count, at: offset)
    }
}

extension [UInt8] {
    func half(_ offset: Int) -> Int { Int(self[offset]) | Int(self[offset + 1]) << 8 }

    func quarter(_ offset: Int) -> Int { half(offset) | half(offset + 2) << 16 }

    func word(_ offset: Int) -> UInt64 {
        UInt64(quarter(offset)) | UInt64(quarter(offset + 4)) << 32
    }
}
