import Compute
import Foundation

/// How crystal and instrument differ from what an image was computed for: standard deviations of normal errors.
///
/// They act on the computed image by resampling, after convolution with the resolution: a pixel shows the image where its
/// neutrons really were,
///
///     E' = (1 + ε_s) E + o_s Ei,   Q' = √(1 + ε_s) R Q,   h' = (1 + δ_a) a Q'_x / 2π,   k' = (1 + δ_b) b Q'_y / 2π
///
/// with R the rotation by `misorientation` about c* and two `tilt`s, Q = (Q_h, Q_k, l c*) from the kinematics, ε_s an error
/// of flight times in setting s and o_s one of its elastic line. The image holds no other l than the kinematic one, so that
/// the change of l and what follows from it (|Q|, bilayer phase) is left out; so is that of the resolution.
///
/// Interpolation is of third degree (Lagrange, four pixels along each of h, k and energy bin). On an image with fourth
/// derivatives D_h, D_k, D_E along its pixels it errs by at most 0.0234 · 1.25² (D_h + D_k + D_E); for Gaussians of σ pixels
/// D = 3 A/σ⁴. Beyond the image its edge counts, and what is negative becomes 0. Structures as narrow as a pixel are
/// broadened, edges of the kinematic range within two pixels are smeared.
public struct GeometryJitter: Hashable, Sendable, Codable {
    /// Rotation about c*, degrees.
    public var misorientation = 0.0
    /// Rotations about each of the two axes across c*, degrees.
    public var tilt = 0.0
    /// Relative error of a and of b.
    public var lattice = 0.0
    /// Error of the elastic line of each setting in units of its incident energy.
    public var energyOffset = 0.0
    /// Relative error of all energies of each setting.
    public var energyScale = 0.0

    public init() {}

    /// Whether nothing is moved.
    public var isOff: Bool { self == GeometryJitter() }

    /// Refuses deviations beyond what is meant: 10 degrees, a tenth of a length or an energy.
    public func validate() throws(InstrumentError) {
        let bounds = [
            ("misorientation", misorientation, 10), ("tilt", tilt, 10), ("lattice", lattice, 0.1),
            ("energyOffset", energyOffset, 0.1), ("energyScale", energyScale, 0.1),
        ]
        for (name, value, limit) in bounds where !(value >= 0 && value <= limit) {
            throw .invalid(
                "jitter \(name)", problem: "must lie in 0…\(InstrumentError.short(limit)); it is meant to be small")
        }
    }

    /// The random numbers of one image.
    public struct Draw: Hashable, Sendable {
        /// Rotation vector: tilts about x and y, and the rotation about c*; degrees.
        public var rotation: SIMD3<Double>
        /// 1 + δ for a and b.
        public var lattice: SIMD2<Double>
        /// o, one a setting, in units of Ei.
        public var energyOffsets: [Double]
        /// 1 + ε, one a setting.
        public var energyScales: [Double]
    }

    /// The errors of one image, at a stream's address.
    ///
    /// - Parameter settings: of the image's geometry.
    public func draw(stream: RandomStream, settings: Int) -> Draw {
        // Within four standard deviations, so that no scale turns its sign.
        func normal(_ sigma: Double, _ name: String, _ index: Int = 0) -> Double {
            sigma * min(max(stream.substream(name).normal(at: index), -4), 4)
        }
        return Draw(
            rotation: SIMD3(normal(tilt, "tilt", 0), normal(tilt, "tilt", 1), normal(misorientation, "misorientation")),
            lattice: SIMD2(1 + normal(lattice, "lattice", 0), 1 + normal(lattice, "lattice", 1)),
            energyOffsets: (0..<settings).map { normal(energyOffset, "energy offset", $0) },
            energyScales: (0..<settings).map { 1 + normal(energyScale, "energy scale", $0) })
    }
}

extension GeometryJitter.Draw {
    /// The image as the drawn errors show it.
    ///
    /// - Parameter image: [rows × columns] of `geometry`, without mask.
    func resampled(_ image: [Double], geometry: ImageGeometry) -> [Double] {
        let matrix = rotationMatrix
        var result = image
        let (hs, ks) = (geometry.h.count, geometry.k.count)
        let unit = SIMD2(2 * Double.pi / geometry.lattice[0], 2 * Double.pi / geometry.lattice[1])
        for setting in geometry.settings.indices {
            let incident = geometry.settings[setting].incidentEnergy
            let ki = Neutron.wavevector(energy: incident)
            let binWidth = geometry.binWidth(setting: setting)
            let firstEdge = geometry.firstBinEdge(setting: setting)
            let root = energyScales[setting].squareRoot()
            let block = image[setting * hs * geometry.columns..<(setting + 1) * hs * geometry.columns]
            let panels = Array(block)
            for bin in 0..<geometry.energyBins.count {
                let energy = firstEdge + (Double(bin) + 0.5) * binWidth
                let along = Taps(
                    at: place(setting: setting, bin: bin, geometry: geometry), count: geometry.energyBins.count)
                let final = (incident - energy) / Neutron.energyPerWavevectorSquared
                for i in 0..<hs {
                    let x = unit.x * geometry.h.centre(hs - 1 - i)
                    for j in 0..<ks {
                        let y = unit.y * geometry.k.centre(j)
                        let forward = final - x * x - y * y
                        if forward <= 0 { continue }
                        let q = SIMD3(x, y, ki - forward.squareRoot()) * root
                        let h = lattice.x * (matrix[0] * q).sum() / unit.x
                        let k = lattice.y * (matrix[1] * q).sum() / unit.y
                        let rows = Taps(at: Double(hs - 1) - (h - geometry.h.minimum) / geometry.h.step, count: hs)
                        let columns = Taps(at: (k - geometry.k.minimum) / geometry.k.step, count: ks)
                        let value = panels.withUnsafeBufferPointer {
                            Taps.sum($0, rows, along, columns, columns: geometry.columns, panel: ks)
                        }
                        result[(setting * hs + i) * geometry.columns + bin * ks + j] = max(value, 0)
                    }
                }
            }
        }
        return result
    }

    /// Where along a setting's energy bins the neutrons of one bin really were, in bins from the first one's middle.
    func place(setting: Int, bin: Int, geometry: ImageGeometry) -> Double {
        let incident = geometry.settings[setting].incidentEnergy
        let (width, firstEdge) = (geometry.binWidth(setting: setting), geometry.firstBinEdge(setting: setting))
        let energy = firstEdge + (Double(bin) + 0.5) * width
        let there = energyScales[setting] * energy + energyOffsets[setting] * incident
        return (there - firstEdge) / width - 0.5
    }

    /// First two rows of the matrix that takes Q of the laboratory to the crystal's axes.
    var rotationMatrix: [SIMD3<Double>] {
        let radians = rotation * (Double.pi / 180)
        let angle = (radians * radians).sum().squareRoot()
        if angle == 0 { return [SIMD3(1, 0, 0), SIMD3(0, 1, 0)] }
        let n = radians / angle
        let (c, s) = (cos(angle), sin(angle))
        // Rodrigues' formula.
        return [
            SIMD3(c + n.x * n.x * (1 - c), n.x * n.y * (1 - c) - n.z * s, n.x * n.z * (1 - c) + n.y * s),
            SIMD3(n.y * n.x * (1 - c) + n.z * s, c + n.y * n.y * (1 - c), n.y * n.z * (1 - c) - n.x * s),
        ]
    }
}

/// Four neighbours along an axis and their weights in Lagrange's interpolation of third degree.
private struct Taps {
    var indices: SIMD4<Int>
    var weights: SIMD4<Double>

    /// - Parameter position: in pixels; positions beyond the axis count as its ends.
    @inline(__always)
    init(at position: Double, count: Int) {
        let place = min(max(position, 0), Double(count - 1))
        let base = place.rounded(.down)
        let u = place - base
        let first = Int(base)
        if u == 0 {
            // Exactly the pixel: the others, infinite or not, do not count.
            indices = SIMD4(first, first, first, first)
            weights = SIMD4(0, 1, 0, 0)
            return
        }
        indices = SIMD4(
            max(first - 1, 0), first, min(first + 1, count - 1), min(first + 2, count - 1))
        let (a, b, c) = (u + 1, u - 1, u - 2)
        weights = SIMD4(-u * b * c / 6, a * b * c / 2, -a * u * c / 2, a * u * b / 6)
    }

    @inline(__always)
    static func sum(
        _ image: UnsafeBufferPointer<Double>, _ rows: Taps, _ bins: Taps, _ ks: Taps, columns: Int, panel: Int
    ) -> Double {
        var sum = 0.0
        for r in 0..<4 where rows.weights[r] != 0 {
            let row = rows.indices[r] * columns
            for b in 0..<4 where bins.weights[b] != 0 {
                let start = row + bins.indices[b] * panel
                let values = SIMD4(
                    image[start + ks.indices[0]], image[start + ks.indices[1]], image[start + ks.indices[2]],
                    image[start + ks.indices[3]])
                sum += rows.weights[r] * bins.weights[b] * (values * ks.weights).sum()
            }
        }
        return sum
    }
}
