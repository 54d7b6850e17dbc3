import Interchange
import Tensors

/// Files of NeXus in HDF5, a run and a histogram, damaged. What is read of them must fit together.
struct HDF5Target: FuzzTarget {
    static let name = "hdf5"

    private let files: [[UInt8]]

    init() throws {
        let detector = NXSPE.Detector(polar: 10, azimuthal: 90, polarWidth: 1, azimuthalWidth: 2, distance: 6)
        let run = NXSPE(
            entry: "run", instrument: "MAPS", incidentEnergy: 35, psi: 10, energyEdges: [0, 1, 2, 3],
            detectors: [detector, detector], intensity: Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, .nan]),
            error: Tensor(shape: [2, 3], repeating: 1))
        let axes = ["DeltaE", "[0,K,0]", "[H,0,0]"].map {
            MDHistogram.Axis(name: $0, units: "r.l.u.", frame: "HKL", edges: [0, 1, 2])
        }
        let shape = [2, 2, 2]
        let histogram = MDHistogram(
            axes: axes, signal: Tensor(shape: shape, repeating: 1), errorsSquared: Tensor(shape: shape, repeating: 1),
            eventCounts: Tensor(shape: shape, repeating: 1), mask: Tensor(shape: shape, repeating: 0),
            incidentEnergy: 35)
        files = [try run.encoded(), try histogram.encoded()]
    }

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var bytes = random.one(of: files)
        for _ in 0...random.below(3) {
            // Flips and numbers mostly: what moves the rest of the file is refused at the first address.
            if random.once(in: 2) {
                bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            } else {
                ByteMutations.damage(&bytes, &random)
                if bytes.isEmpty { return bytes }
            }
        }
        return bytes
    }

    func check(_ input: [UInt8]) throws {
        do throws(InterchangeError) {
            let file = try HDF5File(bytes: input, name: "fuzz.nxs")
            if MDHistogram.isIn(file) { _ = try MDHistogram(file) } else { _ = try NXSPE(file) }
        } catch {
            if error.message.isEmpty { throw Finding("refused without a word") }
        }
    }
}
