import Artifacts
import Dataflow
import Diagnostics
import Foundation
import Instruments
import Testing

@testable import Stages

@Suite("Orientation and detectors in graphs")
struct OrientationStageTests {
    private func geometry(_ change: (inout ImageGeometry) -> Void) throws -> ImageGeometry {
        var geometry = ImageGeometry.pcsmo
        change(&geometry)
        try geometry.validate()
        return geometry
    }

    @Test("a geometry comes back from its record")
    func roundTrip() throws {
        let alignment = CrystalAlignment(
            angles: [90, 95, 120], u: [1, 1, 0], v: [0, 0, 1], dpsi: 0.5, gl: -1, gs: 2, omega: 30)
        for motion in [
            ImageVolume.Motion.atRest(psi: 35), .turning(.init(psi: -30...45, step: 0.5, w: -0.1...0.2, layers: 3)),
        ] {
            let geometry = try geometry {
                $0.volume = ImageVolume(
                    alignment: alignment, motion: motion, u: [1, 1, 0], v: [0, 0, 1], w: [1, -1, 0])
            }
            #expect(try ImageGeometry(geometry.value) == geometry)
        }
    }

    @Test("a geometry without orientation has the record that it had")
    func oldRecords() throws {
        let still = ImageGeometry.pcsmo.value
        let turning = try geometry { $0.scan = .rotation(l: -0.5...0.5, layers: 4) }.value
        #expect(
            try Set(still.asRecord().keys) == ["settings", "energy-bins", "h", "k", "lattice", "magnetic-cell"])
        #expect(try Set(turning.field("rotation").asRecord().keys) == ["l", "layers"])
        #expect(try ImageGeometry(turning).volume == nil)
    }

    /// What belongs to images with an orientation, or to those without, is refused elsewhere.
    @Test("what does not go together is refused", arguments: ["angles", "from", "no l", "u of three", "l", "no w"])
    func refused(what: String) throws {
        let oriented = try geometry {
            $0.volume = ImageVolume(
                alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
                motion: .turning(.init(psi: 0...1, step: 0, w: 0...1)))
        }.value
        let turning = try geometry { $0.scan = .rotation(l: -0.5...0.5, layers: 4) }.value
        var fields = try (["l", "no w"].contains(what) ? oriented : turning).asRecord()
        var rotation = try fields["rotation"]?.asRecord() ?? [:]
        switch what {
        case "angles": fields["angles"] = .list([.double(90), .double(90), .double(120)])
        case "from": rotation["from"] = .double(0)
        case "no l": rotation["l"] = nil
        case "u of three":
            let vector = Value.list([.double(1), .double(0), .double(0)])
            fields["projection"] = .record(["u": vector, "v": .list([.double(0), .double(1)])])
        case "l": rotation["l"] = .list([.double(0), .double(1)])
        default: rotation["w"] = nil
        }
        fields["rotation"] = .record(rotation)
        #expect(throws: InstrumentError.self) { _ = try ImageGeometry(.record(fields)) }
    }

    @Test("the files of MAPS have the outline that masks have")
    func maps() throws {
        for name in ["maps", "maps-before-2017"] {
            let banks = try #require(InstrumentFiles.description(name).detectors)
            #expect(Set(banks.banks) == Set(DetectorCoverage.maps.banks.banks) && banks.gaps.isEmpty)
            let builtIn = try InstrumentDescription(value: loadInstrument(name: name, directory: "/nowhere"))
            #expect(builtIn.detectors == banks)
        }
    }

    /// Directions by two angles in the plane of the tubes: some that Mantid's instrument definitions give as a tube's, and some
    /// between doors and in the beam.
    @Test("the files of MERLIN, LET and MARI have detectors where Mantid's definitions have tubes")
    func others() throws {
        func see(_ name: String, _ horizontal: Double, _ elevation: Double) throws -> Bool {
            let (a, b) = (horizontal * Double.pi / 180, elevation * Double.pi / 180)
            let banks = try #require(InstrumentFiles.description(name).detectors)
            return banks.see(SIMD3(cos(b) * cos(a), cos(b) * sin(a), sin(b)))
        }
        for (horizontal, elevation, isSeen) in [
            (-45.01, 0.0, true), (19.16302, 25, true), (135.69, -30, true), (0, 10, true), (0, 0, false),
            (18.2, 0, false), (-24.5, 0, false), (-46, 0, false), (137, 0, false), (60, 31, false), (120, 0, false),
        ] {
            #expect(try see("merlin", horizontal, elevation) == isSeen, "\(horizontal) \(elevation)")
        }
        for (horizontal, elevation, isSeen) in [
            (-32.5, 0.0, true), (132.5, 29, true), (1, 0, false), (-25, 0, false), (5, 30, false), (139.1, 0, true),
        ] {
            #expect(try see("let", horizontal, elevation) == isSeen, "\(horizontal) \(elevation)")
        }
        // r, t, p of a tube in MARI_Definition.xml: x = sin t cos p to the left, y = sin t sin p up.
        let mari = try #require(InstrumentFiles.description("mari").detectors)
        for (t, p, isSeen) in [
            (13.71, -68.64, true), (134.14, -96.91, true), (113.57, -95.41, true), (3.86, 0.0, true),
            (12.86, 135, true), (20, 90, false), (5, 45, false), (2, -90, false), (60, 0, false), (60, -60, false),
        ] {
            let (a, b) = (t * Double.pi / 180, p * Double.pi / 180)
            #expect(mari.see(SIMD3(cos(a), sin(a) * cos(b), sin(a) * sin(b))) == isSeen, "\(t) \(p)")
        }
    }

    @Test("a range that does not rise is refused with the instrument's name")
    func badRange() throws {
        let text = try String(
            contentsOfFile: InstrumentFiles.graphs + "/instruments/merlin.yaml", encoding: .utf8
        ).replacingOccurrences(of: "[2.52 deg, 17.64 deg]", with: "[17.64 deg, 2.52 deg]")
        #expect {
            try instrumentValue(text: text, file: "merlin.yaml")
        } throws: { error in
            "\(error)".contains("the detectors of MERLIN") && "\(error)".contains("horizontal")
        }
    }
}
