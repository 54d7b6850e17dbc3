import Foundation
import Interchange
import Tensors

/// A small graph to spoil: one simulated image of the square-lattice antiferromagnet and one measurement of 4 × 10
/// pixels.
enum Study {
    static let file = "graphs/study.yaml"

    static let text = """
        graph: study
        nodes:
          resolution:
            stage: resolution
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 2, from: 0.1, to: 0.7}
            h: {count: 4, from: -1, to: 1}
            k: {count: 5, from: -1, to: 1}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution, coverage: open}
          parameters: {stage: fix-parameters, model: square-afm-nn}
          spectrum: {stage: spin-waves, model: square-afm-nn, parameters: parameters, grid: 8}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
          noise: {stage: add-noise, image: image, mask: mask, exposure: 2}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, path: image.npy}

        """

    /// Intensities 0…39.
    static let image = Tensor<Float>(shape: [4, 10], elements: (0..<40).map { Float($0) })

    /// A workplace with the graph, some of its text replaced, and the measurement.
    static func workplace(replacing edits: (old: String, new: String)...) throws -> Workplace {
        let workplace = try Workplace()
        var text = Self.text
        for edit in edits { text = text.replacing(edit.old, with: edit.new) }
        try workplace.write(text, to: file)
        try NPY.write(.float32(image), to: workplace.path("graphs/image.npy").path)
        return workplace
    }
}
