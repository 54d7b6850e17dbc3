import Tensors
import Testing

@testable import Interchange

@Suite("Runs of direct-geometry spectrometers (.nxspe)")
struct NXSPETests {
    static let run = NXSPE(
        entry: "MAP11014", instrument: "MAPS", incidentEnergy: 787, psi: -12.5, isScaledByKiOverKf: true,
        energyEdges: [-10, 0, 10, 20],
        detectors: [
            .init(polar: 5, azimuthal: 90, polarWidth: 0.25, azimuthalWidth: 0.5, distance: 6),
            .init(polar: 60.5, azimuthal: -170, polarWidth: 0.25, azimuthalWidth: 0.5, distance: 6.5),
        ],
        intensity: Tensor(shape: [2, 3], elements: [0.5, 1, 2, 3, 0, -0.25]),
        error: Tensor(shape: [2, 3], elements: [0.1, 0.2, 0.3, 0.4, 0, 0.5]))

    @Test("what is written is read back to the bit")
    func roundTrip() throws {
        let read = try NXSPE(HDF5File(bytes: try Self.run.encoded(), name: "m.nxspe"))
        #expect(read == Self.run)
    }

    @Test("masked detectors come back as NaN with error 0, unknown angles as NaN, and without distances none")
    func masked() throws {
        var run = Self.run
        run.intensity.elements[3] = .nan
        // The older text format's flag.
        run.intensity.elements[4] = -1e30
        run.psi = .nan
        run.detectors[0].distance = .nan
        let read = try NXSPE(HDF5File(bytes: try run.encoded(), name: "m.nxspe"))
        #expect(read.intensity.elements.map(\.isNaN) == [false, false, false, true, true, false])
        #expect(read.error.elements == [0.1, 0.2, 0.3, 0, 0, 0.5])
        #expect(read.psi.isNaN && read.detectors.allSatisfy { $0.distance.isNaN })
    }

    @Test("what does not fit together is refused with the place")
    func refusals() throws {
        func refusal(energies: [Double] = [35], _ change: (inout HDF5Group) -> Void) throws -> String {
            var data = HDF5Group(
                class: "NXdata",
                datasets: [
                    "energy": HDF5Dataset([0, 1, 2]), "polar": HDF5Dataset([1]), "azimuthal": HDF5Dataset([1]),
                    "polar_width": HDF5Dataset([1]), "azimuthal_width": HDF5Dataset([1]),
                    "data": HDF5Dataset(.float64(Tensor(shape: [1, 2], elements: [1, 2]))),
                    "error": HDF5Dataset(.float64(Tensor(shape: [1, 2], elements: [1, 2]))),
                ])
            change(&data)
            let info = HDF5Group(class: "NXcollection", datasets: ["fixed_energy": HDF5Dataset(energies)])
            let entry = HDF5Group(
                class: "NXentry", datasets: ["definition": HDF5Dataset("NXSPE")],
                groups: ["NXSPE_info": info, "data": data])
            let file = try HDF5File(bytes: try HDF5Group(groups: ["e": entry]).encoded(), name: "m")
            return message { () throws(InterchangeError) in _ = try NXSPE(file) }
        }
        #expect(try refusal { _ in } == "no error")
        #expect(
            try refusal { $0.datasets["polar"] = HDF5Dataset([1, 2]) }
                == "m: '/e/data/polar' has 2 values for 1 detectors")
        #expect(
            try refusal { $0.datasets["polar"] = HDF5Dataset([.nan]) } == "m: '/e/data/polar' is nan for detector 0")
        #expect(
            try refusal { $0.datasets["energy"] = HDF5Dataset([0, 2, 1]) }
                == "m: '/e/data/energy' does not rise from bin to bin")
        #expect(
            try refusal { $0.datasets["energy"] = HDF5Dataset([0, 1, 2, 3]) }.hasPrefix(
                "m: '/e/data/energy' has 4 energies for 2 bins"))
        #expect(
            try refusal {
                $0.datasets["error"] = HDF5Dataset(.float64(Tensor(shape: [1, 2], elements: [1, -1])))
            }.hasPrefix("m: '/e/data/error' is -1.0 for detector 0, bin 1"))
        #expect(
            try refusal { $0.datasets["data"] = nil }.hasPrefix("m: nothing is at '/e/data/data'"))
        #expect(
            try refusal(energies: [7, 9]) { _ in } == """
                m: '/e/NXSPE_info/fixed_energy' has 2 values: an instrument of indirect geometry
                  hint: only direct geometry is read, with one incident energy
                """)
        let histogram = try HDF5File(bytes: try MDHistogramTests.histogram.encoded(), name: "m")
        #expect(
            message { () throws(InterchangeError) in _ = try NXSPE(histogram) }
                .hasPrefix("m: no entry is defined as NXSPE"))
    }

    @Test("centres of bins become edges halfway between, and beyond at both ends")
    func centres() throws {
        var group = HDF5Group(
            class: "NXdata",
            datasets: [
                "energy": HDF5Dataset([1, 3, 5]), "polar": HDF5Dataset([1]), "azimuthal": HDF5Dataset([1]),
                "polar_width": HDF5Dataset([1]), "azimuthal_width": HDF5Dataset([1]),
            ])
        for name in ["data", "error"] {
            group.datasets[name] = HDF5Dataset(.float64(Tensor(shape: [1, 3], repeating: 1)))
        }
        let entry = HDF5Group(
            class: "NXentry", datasets: ["definition": HDF5Dataset("NXSPE")],
            groups: [
                "NXSPE_info": HDF5Group(class: "NXcollection", datasets: ["fixed_energy": HDF5Dataset([35])]),
                "data": group,
            ])
        let run = try NXSPE(HDF5File(bytes: try HDF5Group(groups: ["e": entry]).encoded(), name: "m"))
        #expect(run.energyEdges == [0, 2, 4, 6])
        // Without the flag nobody said whether anything was scaled.
        #expect(run.isScaledByKiOverKf == nil && run.psi.isNaN && run.instrument.isEmpty)
    }
}
