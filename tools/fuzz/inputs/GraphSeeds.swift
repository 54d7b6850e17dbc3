/// Small valid graphs that between them use most of the language: what damage starts from.
enum GraphSeeds {
    static let models = ["square-afm-nn", "square-afm-nnn"]

    static let graphs = [
        """
        classes:
          nearest: {model: square-afm-nn, priors: {J1: {uniform: [0.5 meV, 0.8 meV]}}}
          second: {model: square-afm-nnn, priors: {J1: {uniform: [0.5 meV, 0.8 meV]}, J2: {uniform: [0.04 meV, 0.18 meV]}}}
        nodes:
          parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 20}
          spectra: {stage: spin-waves, for: each class, model: $model, parameters: parameters}
        """,
        """
        graph: study  # a comment
        about: "two settings"
        seed: 7
        define: {a: 5.65 angstrom}
        nodes:
          resolution:
            stage: resolution
            settings:
              - {energy: 12 meV, frequency: 200 Hz}
              - energy: 0.025 eV
                frequency: 300 Hz
            lattice: [$a, $a, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution}
        """,
        """
        nodes:
          point: {stage: fix-parameters, model: square-afm-nn, values: {J1: 0.6 meV}}
          spectrum: {stage: spin-waves, model: square-afm-nn, parameters: point}
          resolution: {stage: resolution, settings: [{energy: 12 meV, frequency: 200 Hz}]}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
          noise: {stage: add-noise, image: image, exposure: 2, copies: 3}
        """,
        """
        nodes:
          network:
            stage: train-network
            images: noise
            layers:
              - panels: {rows: 1, columns: 10}
              - conv: {channels: 16, kernel: [3, 3]}
              - relu
              - dense: 2
          noise: {stage: add-noise, image: image}
        """,
        "nodes: {}\n",
        """
        seed: 3
        nodes:
          a: {stage: sample-parameters, model: square-afm-nn, priors: {J1: {normal: [0.6 meV, 20 ueV]}}, count: 4}
        """,
    ]
}
