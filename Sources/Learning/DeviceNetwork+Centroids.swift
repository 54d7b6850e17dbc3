import CKernels
import Devices

// Centroids: a product without biases, then a distance for each class.

extension DeviceNetwork {
    func emitCentroids(
        _ number: Int, _ source: DeviceFloats, _ centroids: Centroids
    ) throws -> (DeviceFloats, EmitBackward) {
        let inputs = spec.shapes[number - 1].reduce(1, *)
        let size = centroids.classes * centroids.width
        let images = images
        let kernel = layout.offset(number, .kernel)
        let embeddings = try floats(images * size)
        emit { [device, x = source.address(), w = parameters.address(kernel), to = embeddings.address()] in
            try device.multiply(
                .init(x, stride: inputs), .init(w, stride: inputs, isTransposed: true), rows: images, columns: size,
                inner: inputs, into: to)
        }
        var layer = sw_net_centroids()
        layer.images = Int64(images)
        (layer.classes, layer.width) = (Int64(centroids.classes), Int64(centroids.width))
        layer.factor = -1 / (2 * centroids.lengthScale * centroids.lengthScale * Double(centroids.width))
        layer.sums = parameters.source(layout.offset(number, .centroidSum))
        layer.counts = parameters.source(layout.offset(number, .centroidCount))
        layer.embeddings = embeddings.target()
        if mode == .training, let gradients {
            var statistics = layer
            statistics.labels = labels.source()
            statistics.found_sums = gradients.target(layout.offset(number, .centroidSum))
            statistics.found_counts = gradients.target(layout.offset(number, .centroidCount))
            emitEach("sw_network_class_sums", .heads, count: size, statistics)
        }
        let output = try floats(images * centroids.classes)
        var forward = layer
        forward.result = output.target()
        emitEachBlock("sw_network_log_kernels", .heads, count: images * centroids.classes, forward)
        let description = layer
        return (
            output,
            { [unowned self] gradient, isWanted in
                let slopes = try floats(images * size)
                var back = description
                back.gradient = gradient.source()
                back.slopes = slopes.target()
                emitEach("sw_network_log_kernels_back", .heads, count: images * size, back)
                defer { retire(slopes) }
                if mode == .training, let gradients {
                    emit { [device, x = source.address(), g = slopes.address(), to = gradients.address(kernel)] in
                        try device.multiply(
                            .init(g, stride: size, isTransposed: true), .init(x, stride: inputs), rows: size,
                            columns: inputs, inner: images, into: to)
                    }
                }
                if !isWanted { return nil }
                let result = try floats(images * inputs)
                emit { [device, g = slopes.address(), w = parameters.address(kernel), to = result.address()] in
                    try device.multiply(
                        .init(g, stride: size), .init(w, stride: inputs), rows: images, columns: inputs, inner: size,
                        into: to)
                }
                return result
            }
        )
    }
}
