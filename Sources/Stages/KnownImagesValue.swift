import Artifacts
import Compute
import Dataflow
import Instruments
import Learning
import Tensors

extension KnownImages {
    /// What training images explain. Of more than 4,000 images there are fewer copies of each simulation, then fewer
    /// simulations.
    ///
    /// - Returns: nil for fewer than two images.
    /// - Throws: `StepFailure` for images of another geometry.
    init?(trainedOn members: [Step.Member], like geometry: Value, threads: Int, isCancelled: () -> Bool) throws {
        let most = 4000
        let used = stride(from: 0, to: members.count, by: (members.count + most - 1) / most + (members.isEmpty ? 1 : 0))
            .map { members[$0] }
        guard !used.isEmpty else { return nil }
        let copies = max(1, most / used.count)
        let shape = try ImageGeometry(geometry)
        let layout = PixelBlocks.Layout(
            rows: shape.settings.count, columns: shape.energyBins.count, height: shape.h.count, width: shape.k.count)
        var images: [PixelBlocks] = []
        let portion = 16 * max(1, threads)
        for start in stride(from: 0, to: used.count, by: portion) {
            if isCancelled() { throw CancellationError() }
            let part = used[start..<min(start + portion, used.count)]
            images += try Parallel.map(part.count, threads: threads) { index in
                let noisy = try NoisyImages(part[start + index].load())
                guard noisy.geometry.pixels == geometry.pixels else {
                    throw StepFailure(
                        "the training images have another geometry than the test set",
                        hint: "give all images one resolution node, or nodes that differ in magnetic-cell alone")
                }
                return (0..<min(copies, noisy.count)).map { PixelBlocks(noisy.copy($0)[...], layout: layout) }
            }.flatMap { $0 }
        }
        guard images.count > 1 else { return nil }
        self.init(images, layout: layout)
    }

    init(_ value: Value) throws {
        let panels = try value.list("panels").map { try $0.asInt() }
        self.init(
            layout: .init(rows: panels[0], columns: panels[1], height: panels[2], width: panels[3]),
            intensities: try KnownPattern(value.field("intensities")), zeros: try KnownPattern(value.field("zeros")),
            holes: try KnownPattern(value.field("holes")))
    }

    var value: Value {
        .record([
            "panels": .list([layout.rows, layout.columns, layout.height, layout.width].map { .int($0) }),
            "intensities": intensities.value, "zeros": zeros.value, "holes": holes.value,
        ])
    }
}

extension KnownPattern {
    init(_ value: Value) throws {
        func numbers(_ name: String) throws -> [Float] { try value.tensor(name).asFloat32.elements }
        self.init(
            mean: try numbers("mean"), weights: try numbers("weights"), directions: try numbers("directions"),
            constant: try numbers("constant"), slope: try numbers("slope"), share: Float(try value.double("share")))
    }

    var value: Value {
        func vector(_ numbers: [Float]) -> Value {
            .tensor(.float32(Tensor(shape: [numbers.count], elements: numbers)))
        }
        return .record([
            "mean": vector(mean), "weights": vector(weights), "constant": vector(constant), "slope": vector(slope),
            "share": .double(Double(share)),
            "directions": .tensor(
                .float32(Tensor(shape: [directions.count / mean.count, mean.count], elements: directions))),
        ])
    }
}
