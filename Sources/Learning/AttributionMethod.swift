import Compute
import Tensors

/// A way to ask a network which pixels it rests an answer on.
public enum AttributionMethod: String, Hashable, Sendable, CaseIterable {
    case integratedGradients = "integrated-gradients"
    /// Grad-CAM.
    case activationMap = "activation-map"
    /// Grad-CAM++.
    case activationMapPlusPlus = "activation-map-plus-plus"
    /// SmoothGrad, times image − baseline.
    case smoothGradients = "smooth-gradients"
    /// By boxes.
    case occlusion

    /// Whether its maps have a scale of their own, and are to be scaled to their largest value before they are averaged.
    public var isRelative: Bool { self == .activationMap || self == .activationMapPlusPlus }
}

/// What the methods take beside network and image.
public struct AttributionSettings: Hashable, Sendable {
    /// Points on the path of integrated gradients.
    public var steps = 64
    /// Noisy copies of SmoothGrad, and their noise as a fraction of the image's range.
    public var draws = 32
    public var noise = 0.1
    /// Layer of the activation maps, from 1; nil: the last convolution.
    public var layer: Int?
    /// An image without evidence, in the shape of the network's input; nil: `NetworkSpec.neutralBaseline`. The activation maps
    /// have none.
    public var baseline: Tensor<Float>?
    /// Boxes of occlusion.
    public var boxes: [PixelBox] = []

    public init() {}
}

/// A map by one of the methods.
public struct Attribution: Hashable, Sendable {
    /// [height, width], channels added up.
    public var map: Tensor<Float>
    /// Of integrated gradients only: difference of the scores of image and baseline, and what the sum of the map misses of it.
    public var sumRule: SumRule?

    public struct SumRule: Hashable, Sendable {
        public var difference: Double
        public var residual: Double

        public init(difference: Double, residual: Double) {
            self.difference = difference
            self.residual = residual
        }
    }
}

extension Classifier {
    /// The map of one method for one class: of the log-odds, but for the activation maps, which are of the logit.
    ///
    /// - Parameter random: address of the noise of SmoothGrad; the other methods draw nothing.
    public func attribution(
        by method: AttributionMethod, of image: Tensor<Float>, class index: Int, settings: AttributionSettings,
        random: RandomStream
    ) throws -> Attribution {
        switch method {
        case .integratedGradients:
            let found = try integratedGradients(
                of: image, baseline: settings.baseline, class: index, steps: settings.steps)
            return Attribution(
                map: flat(found.attribution),
                sumRule: .init(difference: found.score - found.baselineScore, residual: found.residual))
        case .activationMap:
            return Attribution(map: try classActivationMap(of: image, class: index, layer: settings.layer).onImage)
        case .activationMapPlusPlus:
            return Attribution(
                map: try classActivationMap(
                    of: image, class: index, layer: settings.layer, weighting: .plusPlus
                ).onImage)
        case .smoothGradients:
            let found = try smoothGradients(
                of: image, baseline: settings.baseline, class: index, noise: settings.noise, draws: settings.draws,
                random: random)
            return Attribution(map: flat(found.attribution))
        case .occlusion:
            return Attribution(
                map: flat(
                    try occlusion(of: image, baseline: settings.baseline, class: index, boxes: settings.boxes)
                        .attribution))
        }
    }

    func flat(_ map: Tensor<Float>) -> Tensor<Float> {
        let (channels, height, width) = (map.shape[0], map.shape[1], map.shape[2])
        var sum = Array(map.elements[..<(height * width)])
        for channel in 0..<channels where channel > 0 {
            for pixel in sum.indices { sum[pixel] += map.elements[channel * height * width + pixel] }
        }
        return Tensor(shape: [height, width], elements: sum)
    }
}
