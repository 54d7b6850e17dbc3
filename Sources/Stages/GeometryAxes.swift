import Artifacts
import Instruments
import Tensors

extension ImageGeometry {
    /// The axes of an image, as arrays: what the array reshaped to [Ei, h, energy, k] counts along.
    ///
    /// `incident-energy` [settings] and `energy-edges` [settings, bins + 1] in meV; `h` [h], falling as the rows do, and `k`
    /// [k] by the pixels' centres, along the axes of the image (r.l.u., unless there is a projection).
    var axesValue: Value {
        var edges: [Double] = []
        for setting in settings.indices {
            for bin in 0...energyBins.count {
                edges.append(firstBinEdge(setting: setting) + Double(bin) * binWidth(setting: setting))
            }
        }
        func array(_ numbers: [Double]) -> Value {
            .tensor(.float64(Tensor(shape: [numbers.count], elements: numbers)))
        }
        return .record([
            "incident-energy": array(settings.map(\.incidentEnergy)),
            "energy-edges": .tensor(
                .float64(Tensor(shape: [settings.count, energyBins.count + 1], elements: edges))),
            "h": array((0..<h.count).reversed().map { h.centre($0) }), "k": array((0..<k.count).map { k.centre($0) }),
        ])
    }
}
