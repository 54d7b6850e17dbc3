import CKernels
import Devices

extension Backgrounds.Draw {
    /// Whether a device adds them to an image: all but phonons, of a crystal that is not held in any way, with nothing subtracted.
    func isAddedOnDevice(_ geometry: ImageGeometry) -> Bool {
        subtraction == 0 && phonons.allSatisfy { $0 == 0 } && geometry.volume == nil
    }
}

/// Backgrounds of several images on a CUDA device: numbers by panel, and streaks as products of profiles, for `noise.cu` to add.
struct PlacedBackgrounds<Device: KernelDevice> {
    private let numbers: [Device.Memory]
    private let starts: Device.Memory

    /// - Parameter draws: of each image; nil where none are added on the device.
    init(
        _ draws: [Backgrounds.Draw?], of backgrounds: Backgrounds, geometry: ImageGeometry, on device: Device
    ) throws {
        let (hs, ks, bins) = (geometry.h.count, geometry.k.count, geometry.energyBins.count)
        let panels = geometry.settings.indices.flatMap { setting in (0..<bins).map { (setting, $0) } }
        var added: [Double] = []
        var (heights, rows, columns): ([Double], [Double], [Double]) = ([], [], [])
        var starts: [Int64] = [0]
        for draw in draws {
            added += panels.map { setting, bin in
                guard let draw else { return 0 }
                let panel = backgrounds.panel(draw, geometry, setting, bin)
                return panel.holder + panel.sample
            }
            for tail in draw?.braggTails ?? [] {
                heights += panels.map { tail.height(geometry, $0, $1) }
                var (row, column) = ([Double](repeating: 0, count: hs), [Double](repeating: 0, count: ks))
                for (index, value) in tail.profile(geometry.h, tail.place.x) { row[hs - 1 - index] = value }
                for (index, value) in tail.profile(geometry.k, tail.place.y) { column[index] = value }
                rows += row
                columns += column
            }
            starts.append(Int64(heights.count / panels.count))
        }
        let finals = panels.map { setting, bin in
            let (width, firstEdge) = (geometry.binWidth(setting: setting), geometry.firstBinEdge(setting: setting))
            let energy = firstEdge + (Double(bin) + 0.5) * width
            return (geometry.settings[setting].incidentEnergy - energy) / Neutron.energyPerWavevectorSquared
        }
        numbers = try [
            added, finals, (0..<hs).map { geometry.inPlaneSquared(h: geometry.h.centre(hs - 1 - $0), k: 0) },
            (0..<ks).map { geometry.inPlaneSquared(h: 0, k: geometry.k.centre($0)) }, heights, rows, columns,
        ].map { try device.memory(of: $0) }
        self.starts = try device.memory(of: starts)
    }

    /// Names them to the kernels, which must be launched while this is there.
    func describe(in mixture: inout sw_noise_mixture) {
        // Addresses of the device, which nobody follows here.
        func pointer(_ index: Int) -> UnsafePointer<Double>? {
            UnsafePointer(bitPattern: UInt(numbers[index].address))
        }
        (mixture.panels, mixture.final_squares) = (pointer(0), pointer(1))
        (mixture.row_squares, mixture.column_squares) = (pointer(2), pointer(3))
        mixture.tail_heights = pointer(4)
        (mixture.tail_rows, mixture.tail_columns) = (pointer(5), pointer(6))
        mixture.tail_starts = UnsafePointer(bitPattern: UInt(starts.address))
    }
}
