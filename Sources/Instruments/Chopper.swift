/// What makes the beam monochromatic.
public enum Chopper: Hashable, Sendable, Codable {
    case fermi(FermiChopper)
    case disks(DiskPair)
}

/// A disk, or a pair that turns against each other, with slots that the beam passes through.
public struct DiskChopper: Hashable, Sendable, Codable {
    /// Width of a slot, m.
    public var slot: Double
    /// Width of the guide at the disk, m.
    public var guide: Double
    /// From the axis to the beam, m.
    public var radius: Double
    /// 1, or 2 for a counter-rotating pair.
    public var disks: Int
    /// The disk's frequency in units of the setting's.
    public var frequencyRatio: Double

    public init(slot: Double, guide: Double, radius: Double, disks: Int, frequencyRatio: Double = 1) {
        self.slot = slot
        self.guide = guide
        self.radius = radius
        self.disks = disks
        self.frequencyRatio = frequencyRatio
    }

    /// Times in which the edge of a slot crosses the slot's and the guide's width, s: the two boxes whose convolution, a
    /// trapezoid, is the transmission.
    public func crossings(frequency: Double) -> (slot: Double, guide: Double) {
        let speed = 2 * Double.pi * radius * Double(disks) * frequency * frequencyRatio
        return (slot / speed, guide / speed)
    }

    /// Half of the whole opening time, s, as the PyChop program takes it. It is the width at half maximum of the
    /// triangle when slot and guide are equally wide; for unequal ones the trapezoid's true width is the larger crossing.
    public func fwhm(frequency: Double) -> Double {
        let times = crossings(frequency: frequency)
        return (times.slot + times.guide) / 2
    }

    /// Variance of the trapezoid, s².
    public func variance(frequency: Double) -> Double {
        let times = crossings(frequency: frequency)
        return (times.slot * times.slot + times.guide * times.guide) / 12
    }
}

/// The two disks that set the resolution of a disk-chopper spectrometer.
public struct DiskPair: Hashable, Sendable, Codable {
    /// The first: it cuts the moderator's pulse to shape.
    public var shaping: DiskChopper
    /// m
    public var moderatorToShaping: Double
    /// The last before the sample.
    public var last: DiskChopper

    public init(shaping: DiskChopper, moderatorToShaping: Double, last: DiskChopper) {
        self.shaping = shaping
        self.moderatorToShaping = moderatorToShaping
        self.last = last
    }
}
