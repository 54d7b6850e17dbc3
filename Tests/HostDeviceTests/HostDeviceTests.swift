import Foundation
import HostDevice
import Testing

@Suite("A CUDA device in software")
struct HostDeviceTests {
    @Test("a x + y, for counts around a block's size", arguments: [0, 1, 31, 256, 257, 5000])
    func axpy(count: Int) throws {
        let x = (0..<count).map { Double($0) * 0.37 }
        let y = (0..<count).map { 1 / Double($0 + 1) }
        let result = HostBuffer(y)
        try HostDevice.launch(
            "sw_axpy", grid: 3, block: 256,
            [.value(Int64(count)), .value(-1.5), .buffer(HostBuffer(x)), .buffer(result)])
        // The host contracts nothing: the same two roundings.
        #expect(result.values == zip(x, y).map { -1.5 * $0 + $1 })
    }

    @Test("sums through shuffles, barriers and both kinds of shared memory", arguments: HostDevice.Order.allCases)
    func sums(order: HostDevice.Order) throws {
        // Integers: every order of adding them is exact.
        let x = (0..<3000).map { Double($0 * $0 % 1013) }
        let sums = HostBuffer([Double](repeating: .nan, count: 5))
        try HostDevice.launch(
            "sw_block_sums", grid: 5, block: 96, sharedBytes: 3 * 8, order: order,
            [.value(Int64(x.count)), .buffer(HostBuffer(x)), .buffer(sums)])
        for block in 0..<5 {
            let mine = x.indices.filter { $0 / 96 % 5 == block }.reduce(0) { $0 + x[$1] }
            #expect(sums.values[block] == mine)
        }
    }

    @Test("votes, parts of a warp, atomics and mathematics as CUDA defines them", arguments: HostDevice.Order.allCases)
    func words(order: HostDevice.Order) throws {
        let out = HostBuffer([Int32](repeating: 0, count: 67))
        let angles = HostBuffer([Double](repeating: .nan, count: 5))
        try HostDevice.launch("sw_words", grid: 1, block: Extent(16, 4), order: order, [.buffer(out), .buffer(angles)])
        // Sixteen lanes of a butterfly: each has the sum over its sixteen.
        for i in 0..<64 { #expect(out.values[i] == Int32((i / 16 * 16..<i / 16 * 16 + 16).reduce(0, +))) }
        #expect(out.values[64...] == [32, 0, 63])
        // sin π/4 to an ulp; sin πn = 0 and cos(−5π/2) = 0 exactly, as the CUDA Math API promises of sinpi and cospi.
        #expect(
            abs(angles.values[0] - 0.5.squareRoot()) < 1.2e-16 && abs(angles.values[1] - 0.5.squareRoot()) < 1.2e-16)
        #expect(angles.values[2...] == [0, 0, 0.5])
    }

    private func failure(_ kernel: String, block: Extent = 32, sharedBytes: Int = 0) -> String? {
        do {
            try HostDevice.launch(
                kernel, grid: 1, block: block, sharedBytes: sharedBytes,
                [.buffer(HostBuffer([Int32](repeating: 0, count: 2048)))])
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a barrier that half of a block misses is found, with file, line and thread")
    func barrier() throws {
        let text = try #require(failure("sw_faulty_barrier"))
        #expect(text.contains("faulty.cpp:8: thread (16, 0, 0) of block (0, 0, 0)"))
        #expect(text.contains("faulty.cpp:6"))
    }

    @Test("a shuffle for which a lane does not come, and one that reads from outside its mask, are found")
    func shuffle() throws {
        #expect(try #require(failure("sw_faulty_shuffle")).contains("waits for lanes that do not come"))
        #expect(try #require(failure("sw_faulty_source")).contains("reads from lane 20, which does not take part"))
    }

    @Test("after a failure the device is as good as before")
    func afterwards() throws {
        #expect(failure("sw_faulty_shuffle") != nil)
        try sums(order: .ascending)
    }

    /// By whom each thread has waited for, not by what comes of it: in the order in which all goes well, too.
    @Test(
        "a race between threads, lanes of a warp or blocks is found in every order, and both sides of it are named",
        arguments: HostDevice.Order.allCases)
    func race(order: HostDevice.Order) throws {
        let out = HostBuffer([Int32](repeating: 0, count: 64))
        func problem(_ kernel: String, grid: Extent, block: Extent) -> String? {
            do {
                try HostDevice.launch(kernel, grid: grid, block: block, order: order, [.buffer(out)])
                return nil
            } catch {
                return error.description
            }
        }
        let threads = try #require(problem("sw_faulty_race", grid: 1, block: 64))
        #expect(threads.hasPrefix("a race in sw_faulty_race: thread ") && threads.contains("shared memory"))
        #expect(threads.hasSuffix("after the beginning, with nothing that orders them"))
        let lanes = try #require(problem("sw_faulty_lanes", grid: 1, block: 32))
        #expect(lanes.contains("a race in sw_faulty_lanes"))
        let blocks = try #require(problem("sw_faulty_blocks", grid: 2, block: 1))
        #expect(blocks.contains("thread 0 of block 2") && blocks.contains("thread 0 of block 1"))
        // Its one block alone has none.
        #expect(problem("sw_faulty_blocks", grid: 1, block: 64) == nil)
    }

    @Test("a block finds nothing that an earlier one left in shared memory")
    func leftover() throws {
        let out = HostBuffer([0.0, 0])
        try HostDevice.launch("sw_faulty_leftover", grid: 2, block: 1, [.buffer(out)])
        #expect(out.values[0] == 1 && out.values[1].isNaN)
    }

    @Test("launches that no device takes are refused, as are arguments that do not fit")
    func limits() throws {
        #expect(failure("sw_faulty_race", block: 1025) == "a block of 1025 threads; 1 to 1024 are allowed")
        #expect(failure("sw_faulty_race", sharedBytes: 300_000)?.contains("300000 bytes of shared memory") == true)
        #expect(failure("sw_no_such") == "no kernel is called 'sw_no_such'")
        #expect(failure("sw_axpy") == "sw_axpy has 4 parameters, not 1")
        #expect(HostDevice.kernels.contains("sw_block_sums"))
        #expect {
            try HostDevice.launch("sw_faulty_race", grid: 1, block: 1, [.value(Int32(1))])
        } throws: { error in
            String(describing: error) == "sw_faulty_race's parameter 0 has 8 bytes, not 4"
        }
    }
}
