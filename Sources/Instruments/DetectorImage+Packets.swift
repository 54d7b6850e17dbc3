import CKernels
import Tensors

/// Collects the lines of an image volume and deposits them in batches by the image kernel. With `DetectorImage+Kernel`, the only
/// place of this module that hands pointers to C.
struct VolumeDeposits {
    private let image: DetectorImage
    private let level: Int32
    private var packets: [sw_image_packet] = []
    /// [domain and setting][bin][h, ascending][k, padded]
    private var values: [Double]
    private let pitch: Int
    private var isMissing = false

    init(_ image: DetectorImage, level: DetectorImage.Level) {
        self.image = image
        self.level = level.rawValue
        let geometry = image.geometry
        pitch = geometry.k.count + 8
        let planes = image.twins.count * geometry.settings.count * geometry.energyBins.count
        values = Array(repeating: 0, count: planes * geometry.h.count * pitch)
        packets.reserveCapacity(4096)
    }

    mutating func add(_ line: VolumeLine, twin: Int) {
        packets.append(
            sw_image_packet(
                twin: Int64(twin), setting: Int64(line.setting), h: line.x, k: line.y, energy: line.energy,
                intensity: line.weight, covariance: line.cell))
        if packets.count == 4096 { flush() }
    }

    private mutating func flush() {
        let geometry = image.geometry
        let (image, level, batch) = (image, level, packets)
        let used = image.withTables { tables in
            tables.withUnsafeBufferPointer { tables in
                batch.withUnsafeBufferPointer { batch in
                    values.withUnsafeMutableBufferPointer { values in
                        var problem = sw_image_problem()
                        problem.setting_count = Int64(geometry.settings.count)
                        problem.bin_count = Int64(geometry.energyBins.count)
                        (problem.h_count, problem.k_count) = (Int64(geometry.h.count), Int64(geometry.k.count))
                        (problem.h_edge, problem.h_step) = (geometry.h.lowerEdge, geometry.h.step)
                        (problem.k_edge, problem.k_step) = (geometry.k.lowerEdge, geometry.k.step)
                        problem.settings = tables.baseAddress
                        return sw_detector_image_deposit(
                            &problem, batch.baseAddress, Int64(batch.count), values.baseAddress, level)
                    }
                }
            }
        }
        if used == 0 { isMissing = true }
        packets.removeAll(keepingCapacity: true)
    }

    /// The image, shape [twins, rows, columns].
    mutating func finished() throws(InstrumentError) -> Tensor<Float> {
        if !packets.isEmpty { flush() }
        if isMissing { throw .invalid("this processor", problem: "lacks the instruction set asked for") }
        let geometry = image.geometry
        var result = Tensor<Float>(shape: [image.twins.count] + geometry.shape, repeating: 0)
        let (bins, hs, ks) = (geometry.energyBins.count, geometry.h.count, geometry.k.count)
        for block in 0..<image.twins.count * geometry.settings.count {
            for row in 0..<hs {
                for bin in 0..<bins {
                    let source = ((block * bins + bin) * hs + hs - 1 - row) * pitch
                    let target = (block * hs + row) * geometry.columns + bin * ks
                    for k in 0..<ks { result.elements[target + k] = Float(values[source + k]) }
                }
            }
        }
        return result
    }
}
