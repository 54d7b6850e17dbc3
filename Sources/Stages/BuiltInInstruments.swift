/// Instruments that need no file: the texts of `graphs/instruments/maps.yaml` and `maps-before-2017.yaml` without their
/// remarks, so that graphs which name them run anywhere.
enum BuiltInInstruments {
    static let texts = ["maps": maps, "maps-before-2017": mapsBefore2017]

    private static let maps = """
        name: MAPS
        distances:
          moderator-chopper: 10.143 m
          aperture-chopper: 8.27 m
          chopper-sample: 1.899 m
          sample-detector: 6 m
        moderator:
          angle: 32 deg
          pulse:
            measured:
              widths: [
                  {wavelength: 1.05928 angstrom, fwhm: 20 us}, {wavelength: 1.27303 angstrom, fwhm: 25 us},
                  {wavelength: 1.44378 angstrom, fwhm: 30 us}, {wavelength: 1.55951 angstrom, fwhm: 31 us},
                  {wavelength: 1.70813 angstrom, fwhm: 35 us}, {wavelength: 1.91018 angstrom, fwhm: 37 us},
                  {wavelength: 2.07872 angstrom, fwhm: 38 us}, {wavelength: 2.2052 angstrom, fwhm: 40 us},
                  {wavelength: 2.41516 angstrom, fwhm: 41 us}, {wavelength: 2.47745 angstrom, fwhm: 40 us},
                  {wavelength: 2.70006 angstrom, fwhm: 44 us}, {wavelength: 3.11649 angstrom, fwhm: 47 us},
                  {wavelength: 3.25499 angstrom, fwhm: 48 us}, {wavelength: 3.81593 angstrom, fwhm: 54 us},
                  {wavelength: 5.39537 angstrom, fwhm: 62 us}]
              below: {effective-depth: {depth: 38.6 mm, per-root-energy: 0.5226 mm, soft-step: true}}
        aperture: {width: 94 mm, height: 94 mm}
        choppers:
          fermi:
            A: {slit: 1.087 mm, radius: 49 mm, curvature: 1300 mm}
            B: {slit: 1.812 mm, radius: 49 mm, curvature: 920 mm}
            S: {slit: 2.899 mm, radius: 49 mm, curvature: 1300 mm}
        package: S
        frequencies: {from: 50 Hz, to: 600 Hz, step: 50 Hz}
        sample: {plate: [2 mm, 48 mm, 48 mm]}
        detector: {tube: {diameter: 25 mm, pixel: 25.4 mm}}
        detectors:
          banks:
            - {horizontal: [-21 deg, -2.7 deg], elevation: [-4.7 deg, 5.5 deg]}
            - {horizontal: [2.5 deg, 20.8 deg], elevation: [-4.7 deg, 5.5 deg]}
            - {horizontal: [-2.2 deg, 1.9 deg], elevation: [2.8 deg, 5.5 deg]}
            - {horizontal: [-2.2 deg, 1.9 deg], elevation: [-4.7 deg, -2.5 deg]}
            - {horizontal: [20.8 deg, 60 deg], elevation: [-4.3 deg, 6.5 deg]}
            - {horizontal: [6.2 deg, 20.8 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [-5.3 deg, 5.1 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [-21 deg, -6.4 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [6.2 deg, 20.8 deg], elevation: [-19.1 deg, -5.4 deg]}
            - {horizontal: [-5.3 deg, 5.1 deg], elevation: [-19.1 deg, -5.4 deg]}
            - {horizontal: [-21 deg, -6.4 deg], elevation: [-19.1 deg, -5.4 deg]}
        """

    private static let mapsBefore2017 = """
        name: MAPS 2000–2017
        distances:
          moderator-chopper: 10.1 m
          aperture-chopper: 8.11 m
          chopper-sample: 1.9 m
          sample-detector: 6 m
        moderator:
          angle: 32 deg
          pulse: {chi-squared: {tau: 70 us}}
        aperture: {width: 70.13 mm, height: 70.13 mm}
        choppers:
          fermi:
            A: {slit: 1.087 mm, radius: 49 mm, curvature: 1300 mm}
            B: {slit: 1.812 mm, radius: 49 mm, curvature: 920 mm}
            S: {slit: 2.899 mm, radius: 49 mm, curvature: 1300 mm}
        package: S
        frequencies: {from: 50 Hz, to: 600 Hz, step: 50 Hz}
        sample: {plate: [10 mm, 50 mm, 50 mm]}
        detector: {spread: [6.35 mm, 6.35 mm, 7.33 mm]}
        time-channel: {energy: 0.0118}
        detectors:
          banks:
            - {horizontal: [-21 deg, -2.7 deg], elevation: [-4.7 deg, 5.5 deg]}
            - {horizontal: [2.5 deg, 20.8 deg], elevation: [-4.7 deg, 5.5 deg]}
            - {horizontal: [-2.2 deg, 1.9 deg], elevation: [2.8 deg, 5.5 deg]}
            - {horizontal: [-2.2 deg, 1.9 deg], elevation: [-4.7 deg, -2.5 deg]}
            - {horizontal: [20.8 deg, 60 deg], elevation: [-4.3 deg, 6.5 deg]}
            - {horizontal: [6.2 deg, 20.8 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [-5.3 deg, 5.1 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [-21 deg, -6.4 deg], elevation: [5.9 deg, 20.5 deg]}
            - {horizontal: [6.2 deg, 20.8 deg], elevation: [-19.1 deg, -5.4 deg]}
            - {horizontal: [-5.3 deg, 5.1 deg], elevation: [-19.1 deg, -5.4 deg]}
            - {horizontal: [-21 deg, -6.4 deg], elevation: [-19.1 deg, -5.4 deg]}
        """
}
