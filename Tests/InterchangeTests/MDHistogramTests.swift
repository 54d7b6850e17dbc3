import Tensors
import Testing

@testable import Interchange

@Suite("Histograms of Mantid (.nxs)")
struct MDHistogramTests {
    static let histogram: MDHistogram = {
        let shape = [2, 3, 4]
        let signal = (0..<24).map { Double($0) }
        return MDHistogram(
            axes: [
                .init(name: "DeltaE", units: "meV", frame: "General Frame", edges: [2.5, 10, 17.5]),
                .init(name: "[0,K,0]", units: "r.l.u.", frame: "HKL", edges: [-1.5, -0.5, 0.5, 1.5]),
                .init(name: "[H,0,0]", units: "r.l.u.", frame: "HKL", edges: [-1, -0.5, 0, 0.5, 1]),
            ],
            signal: Tensor(shape: shape, elements: signal),
            errorsSquared: Tensor(shape: shape, elements: signal.map { $0 / 4 }),
            eventCounts: Tensor(shape: shape, elements: signal.map { $0 * 2 }),
            mask: Tensor(shape: shape, elements: signal.map { $0 == 5 ? 1 : 0 }), incidentEnergy: 25)
    }()

    @Test("what is written is read back to the bit")
    func roundTrip() throws {
        #expect(
            try MDHistogram(HDF5File(bytes: try Self.histogram.encoded(), name: "m.nxs")) == Self.histogram)
        // One dimension, and a bin alone.
        let one = MDHistogram(
            axes: [.init(name: "DeltaE", units: "meV", frame: "General Frame", edges: [0, 1])],
            signal: Tensor(shape: [1], elements: [3]), errorsSquared: Tensor(shape: [1], elements: [3]),
            eventCounts: Tensor(shape: [1], elements: [3]), mask: Tensor(shape: [1], elements: [0]))
        #expect(try MDHistogram(HDF5File(bytes: try one.encoded(), name: "m.nxs")) == one)
    }

    @Test("infinity and NaN as signal both mean that nothing was measured")
    func notMeasured() throws {
        var histogram = Self.histogram
        histogram.signal.elements[0] = .nan
        histogram.signal.elements[1] = .infinity
        let read = try MDHistogram(HDF5File(bytes: try histogram.encoded(), name: "m.nxs"))
        #expect(read.signal.elements.prefix(3).map(\.isNaN) == [true, true, false])
    }

    @Test("what does not fit together is refused with the place")
    func refusals() throws {
        func refusal(_ change: (inout HDF5Group) -> Void) throws -> String {
            let field = HDF5Dataset(.float64(Tensor(shape: [2], elements: [1, 2])))
            var signal = field
            signal.attributes["axes"] = .text("D0")
            var data = HDF5Group(
                class: "NXdata",
                datasets: ["signal": signal, "errors_squared": field, "D0": HDF5Dataset([0, 1, 2])])
            change(&data)
            let entry = HDF5Group(class: "NXentry", groups: ["data": data])
            let file = try HDF5File(bytes: try HDF5Group(groups: ["MDHistoWorkspace": entry]).encoded(), name: "m")
            return message { () throws(InterchangeError) in _ = try MDHistogram(file) }
        }
        // Names, counts and mask may be missing.
        #expect(try refusal { _ in } == "no error")
        #expect(
            try refusal { $0.datasets["signal"]?.attributes = [:] }.hasPrefix(
                "m: '/MDHistoWorkspace/data/signal' has no attribute 'axes'"))
        #expect(
            try refusal { $0.datasets["signal"]?.attributes = ["axes": .text("D1:D0")] }
                == "m: '/MDHistoWorkspace/data/signal' has 1 dimensions and 2 axes ('D1:D0')")
        #expect(
            try refusal { $0.datasets["D0"] = HDF5Dataset([0, 1]) }.hasPrefix(
                "m: '/MDHistoWorkspace/data/D0' has 2 edges for 2 bins"))
        #expect(
            try refusal { $0.datasets["D0"] = HDF5Dataset([0, 1, 5]) }
                == "m: '/MDHistoWorkspace/data/D0' does not rise in equal bins")
        #expect(
            try refusal { $0.datasets["errors_squared"] = HDF5Dataset([1]) }
                == "m: '/MDHistoWorkspace/data/errors_squared' has the shape [1], the signal has [2]")
        let events = HDF5Group(groups: ["MDEventWorkspace": HDF5Group(class: "NXentry")])
        let file = try HDF5File(bytes: try events.encoded(), name: "m")
        #expect(
            message { () throws(InterchangeError) in _ = try MDHistogram(file) } == """
                m: an MDEventWorkspace: events, not a histogram
                  hint: bin it with MDNorm or BinMD, then SaveMD
                """)
    }
}
