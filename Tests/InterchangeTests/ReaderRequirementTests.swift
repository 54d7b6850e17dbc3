import Foundation
import Tensors
import Testing

@testable import Interchange

private let hasH5py = (try? NumPy.run("import h5py")) != nil

/// What programs that read our files need of them, field by field, as their sources have it. The files are looked at by h5py.
///
/// This holds the files to what is published of the readers; it does not open them in the programs.
@Suite("Files have what their readers ask for", .enabled(if: hasH5py, "needs python3 with h5py"))
struct ReaderRequirementTests {
    /// A need of a reader: where its source has it, and what that is.
    struct Requirement: CustomTestStringConvertible, Sendable {
        var source: String
        var need: Need

        init(_ source: String, _ need: Need) {
            self.source = source
            self.need = need
        }

        var testDescription: String { "\(source): \(need)" }
    }

    enum Need: Sendable {
        /// The only group at the top, of this class.
        case onlyEntry(String)
        case group(String, class: String)
        /// A dataset of a type as NumPy writes it, with so many extents.
        case numbers(String, type: String, rank: Int)
        case shape(String, [Int])
        /// A text along one extent of 1.
        case text(String, String)
        case textAttribute(String, String, String)
        case integerAttribute(String, String, Int)
        /// No attribute but this.
        case onlyAttribute(String, String)
        case absent(String)
    }

    private static let mantidRun = "mantidproject/mantid Framework/DataHandling/src/LoadNXSPE.cpp"
    private static let mantidHistogram = "mantidproject/mantid Framework/MDAlgorithms/src/LoadMD.cpp"
    private static let mantidFrames = "mantidproject/mantid Framework/Geometry/src/MDGeometry/MDFrameFactory.cpp"
    private static let horace = "pace-neutrons/Horace herbert_core/classes/data_loaders/@loader_nxspe/loader_nxspe.m"
    private static let horaceEntry = "pace-neutrons/Horace find_root_nexus_dir.m"
    private static let horaceDetectors =
        "pace-neutrons/Horace herbert_core/classes/data_loaders/@nxspepar_loader/private/load_nxspe_par_.m"
    private static let mslice = "mantidproject/mslice src/mslice/models/workspacemanager/workspace_algorithms.py"
    private static let shiver = "neutrons/Shiver src/shiver/models/histogram.py"
    private static let definition = "nexusformat/definitions applications/NXspe.nxdl.xml"

    /// NXSPETests.run: two detectors, three bins. Numbers are asked for with their type: Mantid's NexusFile gives no others.
    static let run: [Requirement] = [
        // Mantid takes the first entry by name, and needs it to be an NXentry that says NXSPE.
        Requirement(mantidRun, .onlyEntry("NXentry")),
        Requirement(mantidRun, .text("e/definition", "NXSPE")),
        Requirement(mantidRun, .group("e/NXSPE_info", class: "NXcollection")),
        Requirement(mantidRun, .numbers("e/NXSPE_info/fixed_energy", type: "<f8", rank: 1)),
        Requirement(mantidRun, .numbers("e/NXSPE_info/psi", type: "<f8", rank: 1)),
        Requirement(mantidRun, .numbers("e/NXSPE_info/ki_over_kf_scaling", type: "<i4", rank: 1)),
        Requirement(mantidRun, .group("e/data", class: "NXdata")),
        Requirement(mantidRun, .numbers("e/data/data", type: "<f8", rank: 2)),
        Requirement(mantidRun, .shape("e/data/data", [2, 3])),
        Requirement(mantidRun, .numbers("e/data/error", type: "<f8", rank: 2)),
        Requirement(mantidRun, .shape("e/data/error", [2, 3])),
        // As many energies as bins, or one more.
        Requirement(mantidRun, .numbers("e/data/energy", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/energy", [4])),
        Requirement(mantidRun, .numbers("e/data/azimuthal", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/azimuthal", [2])),
        Requirement(mantidRun, .numbers("e/data/azimuthal_width", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/azimuthal_width", [2])),
        Requirement(mantidRun, .numbers("e/data/polar", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/polar", [2])),
        Requirement(mantidRun, .numbers("e/data/polar_width", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/polar_width", [2])),
        // Not needed, but 1 m without it.
        Requirement(mantidRun, .numbers("e/data/distance", type: "<f8", rank: 1)),
        Requirement(mantidRun, .shape("e/data/distance", [2])),
        Requirement(mantidRun, .group("e/instrument", class: "NXinstrument")),
        // Direct geometry is known by the instrument's parameters, which are found by its name.
        Requirement(mantidRun, .text("e/instrument/name", "MAPS")),
        // Every group at the top has a class, and the entry no other attribute.
        Requirement(horaceEntry, .onlyAttribute("e", "NX_class")),
        Requirement(horaceEntry, .onlyEntry("NXentry")),
        Requirement(horaceEntry, .text("e/definition", "NXSPE")),
        // Up to 1.2 it looks for the number of the run in the file's name, later in instrument/run_number; 1.0 and 1.1 are warned of.
        Requirement(horaceEntry, .textAttribute("e/definition", "version", "1.2")),
        Requirement(horace, .numbers("e/data/energy", type: "<f8", rank: 1)),
        Requirement(horace, .numbers("e/NXSPE_info/fixed_energy", type: "<f8", rank: 1)),
        Requirement(horace, .numbers("e/NXSPE_info/psi", type: "<f8", rank: 1)),
        // The detectors are the second extent as MATLAB counts, the first here.
        Requirement(horace, .shape("e/data/data", [2, 3])),
        // A group 'moderator' or 'source' would be taken for a description of the instrument.
        Requirement(horace, .absent("e/instrument/moderator")),
        Requirement(horace, .absent("e/instrument/source")),
        Requirement(horaceDetectors, .numbers("e/data/polar", type: "<f8", rank: 1)),
        Requirement(horaceDetectors, .numbers("e/data/azimuthal", type: "<f8", rank: 1)),
        Requirement(horaceDetectors, .numbers("e/data/polar_width", type: "<f8", rank: 1)),
        Requirement(horaceDetectors, .numbers("e/data/azimuthal_width", type: "<f8", rank: 1)),
        Requirement(horaceDetectors, .shape("e/data/distance", [2])),
        // Reads by Mantid; where Mantid does not know the geometry, a finite Ei says that it is direct.
        Requirement(mslice, .numbers("e/NXSPE_info/fixed_energy", type: "<f8", rank: 1)),
        Requirement(definition, .text("e/program_name", "spinweave")),
        Requirement(definition, .textAttribute("e/NXSPE_info/fixed_energy", "units", "meV")),
        Requirement(definition, .textAttribute("e/NXSPE_info/psi", "units", "degrees")),
        Requirement(definition, .textAttribute("e/data/polar", "units", "degrees")),
        Requirement(definition, .textAttribute("e/data/azimuthal", "units", "degrees")),
        Requirement(definition, .textAttribute("e/data/polar_width", "units", "degrees")),
        Requirement(definition, .textAttribute("e/data/azimuthal_width", "units", "degrees")),
        Requirement(definition, .textAttribute("e/data/distance", "units", "m")),
        Requirement(definition, .textAttribute("e/data/energy", "units", "meV")),
        Requirement(definition, .group("e/instrument/fermi", class: "NXfermi_chopper")),
        Requirement(definition, .numbers("e/instrument/fermi/energy", type: "<f8", rank: 1)),
        Requirement(definition, .group("e/sample", class: "NXsample")),
        Requirement(definition, .numbers("e/sample/rotation_angle", type: "<f8", rank: 1)),
    ]

    /// MDHistogramTests.histogram: energy × K × H of 2 × 3 × 4 bins.
    static let histogram: [Requirement] = [
        Requirement(mantidHistogram, .onlyEntry("NXentry")),
        Requirement(mantidHistogram, .group("MDHistoWorkspace", class: "NXentry")),
        // Otherwise the dimensions are looked for as XML.
        Requirement(mantidHistogram, .integerAttribute("MDHistoWorkspace", "SaveMDVersion", 2)),
        // Otherwise the signs of Q may be turned.
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace", "QConvention", "Inelastic")),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/coordinate_system", type: "<u4", rank: 1)),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/visual_normalization", type: "<u4", rank: 1)),
        Requirement(mantidHistogram, .group("MDHistoWorkspace/data", class: "NXdata")),
        // Slowest first; Mantid's first dimension is the last.
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace/data/signal", "axes", "D2:D1:D0")),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/data/signal", type: "<f8", rank: 3)),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/signal", [2, 3, 4])),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/data/errors_squared", type: "<f8", rank: 3)),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/errors_squared", [2, 3, 4])),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/data/num_events", type: "<f8", rank: 3)),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/num_events", [2, 3, 4])),
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/data/mask", type: "|i1", rank: 3)),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/mask", [2, 3, 4])),
        // Edges, of which Mantid takes the first, the last and how many.
        Requirement(mantidHistogram, .numbers("MDHistoWorkspace/data/D0", type: "<f8", rank: 1)),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/D0", [5])),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/D1", [4])),
        Requirement(mantidHistogram, .shape("MDHistoWorkspace/data/D2", [3])),
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace/data/D0", "long_name", "[H,0,0]")),
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace/data/D1", "long_name", "[0,K,0]")),
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace/data/D2", "long_name", "DeltaE")),
        Requirement(mantidHistogram, .textAttribute("MDHistoWorkspace/data/D2", "units", "meV")),
        // The frame HKL goes with r.l.u. or inverse ångströms; other units make it a general one.
        Requirement(mantidFrames, .textAttribute("MDHistoWorkspace/data/D0", "frame", "HKL")),
        Requirement(mantidFrames, .textAttribute("MDHistoWorkspace/data/D0", "units", "r.l.u.")),
        Requirement(mantidFrames, .textAttribute("MDHistoWorkspace/data/D1", "frame", "HKL")),
        Requirement(mantidFrames, .textAttribute("MDHistoWorkspace/data/D1", "units", "r.l.u.")),
        Requirement(mantidFrames, .textAttribute("MDHistoWorkspace/data/D2", "frame", "General Frame")),
        // Affine transforms and blocks of instrument, sample and logs are read where they are there.
        Requirement(mantidHistogram, .absent("MDHistoWorkspace/transform_to_orig")),
        Requirement(mantidHistogram, .absent("MDHistoWorkspace/experiment0")),
        // Shiver lists a histogram whose coordinates are HKL, Mantid's number 3.
        Requirement(shiver, .numbers("MDHistoWorkspace/coordinate_system", type: "<u4", rank: 1)),
    ]

    /// One line for each object: path, kind (a class, or type, rank and extents), attributes; and the values of short datasets.
    private static func listing(_ bytes: [UInt8]) throws -> Listing {
        let folder = try TemporaryFolder()
        try AtomicFile.write(bytes, to: folder.file("f"))
        let text = try NumPy.run(
            """
            import h5py, json, sys, numpy as np
            def attribute(value):
                if isinstance(value, (bytes, str)): return dict(text=value.decode() if isinstance(value, bytes) else value)
                return dict(type=np.asarray(value).dtype.str, rank=int(np.ndim(value)), number=int(value))
            objects = {}
            def visit(name, o):
                entry = dict(attributes={k: attribute(v) for k, v in o.attrs.items()})
                if isinstance(o, h5py.Dataset):
                    text = h5py.check_string_dtype(o.dtype)
                    entry.update(type='text' if text else o.dtype.str, shape=list(o.shape))
                    if text: entry['text'] = o[0].decode()
                    elif o.size == 1: entry['number'] = float(o[0])
                objects[name] = entry
            with h5py.File(sys.argv[1] + '/f', 'r') as f:
                f.visititems(visit)
                print(json.dumps(dict(top=sorted(f.keys()), objects=objects)))
            """, folder.path)
        return try JSONDecoder().decode(Listing.self, from: Data(text.utf8))
    }

    private struct Listing: Decodable {
        struct Attribute: Decodable {
            var text: String?
            var type: String?
            var rank: Int?
            var number: Int?
        }

        struct Object: Decodable {
            var attributes: [String: Attribute]
            var type: String?
            var shape: [Int]?
            var text: String?
            var number: Double?
        }

        var top: [String]
        var objects: [String: Object]
    }

    private func expect(_ need: Need, in listing: Listing) throws {
        func object(_ path: String) throws -> Listing.Object { try #require(listing.objects[path], "\(path)") }
        switch need {
        case .onlyEntry(let name):
            #expect(listing.top.count == 1)
            #expect(try object(listing.top[0]).attributes["NX_class"]?.text == name)
        case .group(let path, let name):
            #expect(try object(path).type == nil && object(path).attributes["NX_class"]?.text == name)
        case .numbers(let path, let type, let rank):
            #expect(try object(path).type == type && object(path).shape?.count == rank)
        case .shape(let path, let shape): #expect(try object(path).shape == shape)
        case .text(let path, let text):
            #expect(try object(path).type == "text" && object(path).shape == [1] && object(path).text == text)
        case .textAttribute(let path, let name, let text): #expect(try object(path).attributes[name]?.text == text)
        case .integerAttribute(let path, let name, let number):
            let attribute = try #require(try object(path).attributes[name])
            #expect(attribute.type == "<i4" && attribute.rank == 0 && attribute.number == number)
        case .onlyAttribute(let path, let name): #expect(try Array(object(path).attributes.keys) == [name])
        case .absent(let path): #expect(listing.objects[path] == nil)
        }
    }

    private static let runListing = Result {
        var run = NXSPETests.run
        run.entry = "e"
        return try listing(try run.encoded())
    }
    private static let histogramListing = Result { try listing(try MDHistogramTests.histogram.encoded()) }

    @Test("runs (.nxspe)", arguments: run)
    func runs(requirement: Requirement) throws { try expect(requirement.need, in: try Self.runListing.get()) }

    @Test("histograms (.nxs)", arguments: histogram)
    func histograms(requirement: Requirement) throws {
        try expect(requirement.need, in: try Self.histogramListing.get())
    }

    /// Mantid's SpecialCoordinateSystem has HKL as 3; its MDNormalization has NoNormalization as 0.
    @Test("the values by which readers decide")
    func values() throws {
        let histogram = try Self.histogramListing.get().objects
        #expect(histogram["MDHistoWorkspace/coordinate_system"]?.number == 3)
        #expect(histogram["MDHistoWorkspace/visual_normalization"]?.number == 0)
        let run = try Self.runListing.get().objects
        #expect(run["e/NXSPE_info/fixed_energy"]?.number == 787 && run["e/instrument/fermi/energy"]?.number == 787)
        #expect(run["e/NXSPE_info/psi"]?.number == -12.5 && run["e/sample/rotation_angle"]?.number == -12.5)
        #expect(run["e/NXSPE_info/ki_over_kf_scaling"]?.number == 1)
    }

    /// LoadNXSPE fails where the name is in no facility (mantidproject/mantid issue 30296), and does not look for `NXSPE`.
    @Test("a spectrometer has the name that Mantid knows, or none")
    func names() throws {
        for name in ["MAPS", "MERLIN", "MARI", "LET", "ARCS", "SEQUOIA", "HYSPEC", "CNCS"] {
            #expect(NXSPE.knownInstrument(name) == name)
        }
        #expect(NXSPE.knownInstrument("MAPS 2000–2017") == "MAPS" && NXSPE.knownInstrument("merlin, doors") == "MERLIN")
        #expect(
            NXSPE.knownInstrument("X") == nil && NXSPE.knownInstrument("MAPSY") == nil
                && NXSPE.knownInstrument("") == nil)
        var run = NXSPETests.run
        run.instrument = ""
        run.entry = "e"
        #expect(try Self.listing(try run.encoded()).objects["e/instrument/name"]?.text == "NXSPE")
    }
}
