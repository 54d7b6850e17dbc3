import CKernels
import Devices

/// Responses of several images' detectors on a CUDA device: of helium by panel, of tubes by their sums, for `noise.cu` to make each
/// pixel's of.
struct PlacedResponses<Device: KernelDevice> {
    private let helium: Device.Memory?
    private let tubes: (sums: Device.Memory, lowerEdges: Device.Memory, upperEdges: Device.Memory)?
    private let tubeCount: Int
    private let tubeWidth: Double

    /// - Parameter draws: of each image.
    init(
        _ draws: [DetectorResponse.Draw], of detectors: DetectorResponse, tubeWidth: Double, angles: DetectorAngles,
        geometry: ImageGeometry, on device: Device
    ) throws {
        self.tubeWidth = tubeWidth
        tubeCount = draws.first?.tubes.count ?? 0
        helium =
            try detectors.helium == nil
            ? nil
            : device.memory(
                of: draws.flatMap { draw in
                    geometry.settings.indices.flatMap { setting in
                        (0..<geometry.energyBins.count).flatMap { bin in
                            let found = detectors.heliumResponse(draw, geometry: geometry, setting: setting, bin: bin)
                            return [found.response, found.correction]
                        }
                    }
                })
        if tubeCount == 0 {
            tubes = nil
        } else {
            tubes = (
                try device.memory(of: draws.flatMap { DetectorResponse.Tubes($0.tubes, width: tubeWidth).sums }),
                try device.memory(of: angles.lowerEdges), try device.memory(of: angles.upperEdges)
            )
        }
    }

    /// Names them to the kernel, which must be launched while this is there.
    func describe(in problem: inout sw_noise_problem) {
        // Addresses of the device, which nobody follows here.
        func pointer(_ memory: Device.Memory?) -> UnsafePointer<Double>? {
            memory.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
        }
        problem.helium = pointer(helium)
        (problem.tube_count, problem.tube_width) = (Int64(tubeCount), tubeWidth)
        problem.tubes = pointer(tubes?.sums)
        (problem.lower_edges, problem.upper_edges) = (pointer(tubes?.lowerEdges), pointer(tubes?.upperEdges))
    }
}
