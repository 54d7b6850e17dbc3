extension NXSPE {
    /// The name by which Mantid knows a direct-geometry spectrometer that is called so, or begins so; nil for others.
    ///
    /// LoadNXSPE looks the name of a file up among the facilities' instruments and fails where it is none of them, unless it is
    /// `NXSPE` or none at all. Names: Mantid's Facilities.xml, techniques of direct geometry.
    public static func knownInstrument(_ name: String) -> String? {
        guard let first = name.split(whereSeparator: { $0.isWhitespace || $0 == "," }).first else { return nil }
        return known.first { $0 == first.uppercased() }
    }

    private static let known: Set<String> = [
        "ARCS", "CNCS", "EXED", "FOCUS", "HET", "HYSPEC", "IN4", "IN5", "IN6", "LET", "MAPS", "MARI", "MERLIN",
        "SEQUOIA", "TOFTOF",
    ]
}
