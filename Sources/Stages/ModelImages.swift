import Dataflow
import Instruments
import SpinWaves
import Tensors

/// Detector images straight from parameter values: `spin-waves` and `convolve-resolution` in one, without what goes between them
/// into the store.
///
/// The same numbers as these two stages give.
struct ModelImages: Sendable {
    let model: SpinModel
    let solver: ZoneSolver
    let image: DetectorImage
    private let crystal: SpinWaveSpectrum.Crystal

    /// - Parameter divisions: of the zone grid along each axis that disperses.
    init(
        _ model: SpinModel, divisions: Int, resolution: ExperimentResolution, options: DetectorImage.Options
    ) throws {
        self.model = model
        solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: divisions))
        crystal = SpinWaveSpectrum.Crystal(model)
        image = try DetectorImage(
            geometry: resolution.geometry, resolution: resolution.table,
            twins: crystal.imageTwins(oriented: resolution.geometry.volume != nil),
            options: options)
    }

    /// Volume fractions of the domains.
    var fractions: [Double] { crystal.twins.map(\.fraction) }

    /// Images of the domains, [domains, rows, columns]; nil where the structure is not stable with these values, or no equilibrium.
    ///
    /// - Parameter values: of all parameters, in the model's order, meV.
    func domains(values: [Double], threads: Int) throws -> Tensor<Float>? {
        if try model.disequilibrium(values: values) != nil { return nil }
        do {
            let spectrum = try solver.spectrum(values: values, unstable: .fail, threads: threads)
            return try image.image(
                of: SpinWaveSpectrum(spectrum, crystal: crystal, isUnstable: false).zoneModes(
                    oblique: image.geometry.volume != nil))
        } catch SpinWaveError.unstable {
            return nil
        }
    }
}
