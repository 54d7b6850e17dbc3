import Dataflow

extension StageLibrary {
    /// All stages, in the order in which a graph usually uses them.
    public static let spinweave = StageLibrary(
        stages: [
            SampleParameters.self, SweepParameters.self, FixParameters.self, SolveSpinWaves.self,
            MakeResolution.self, MaskDetector.self, ConvolveResolution.self, AddNoise.self, TrainNetwork.self,
            Evaluate.self, LoadMeasurement.self, CompareImages.self, Refine.self, RefinedParameters.self,
            Judge.self, EvaluateVerdict.self, Attribute.self, TrainPosterior.self, EvaluatePosterior.self,
            EstimateParameters.self,
        ], loadModel: loadModel(name:directory:), loadInstrument: loadInstrument(name:directory:))
}
