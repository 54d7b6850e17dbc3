import Foundation
import Tensors
import Testing

@testable import Interchange

/// h5py, which has an HDF5 library of its own: an independent reader and writer.
private let hasH5py = (try? NumPy.run("import h5py")) != nil

@Suite("Agreement with h5py", .enabled(if: hasH5py, "needs python3 with h5py"))
struct HDF5AgreementTests {
    @Test(
        "numbers, texts and attributes that h5py writes are read as it reads them",
        arguments: ["'earliest'", "('earliest', 'v108')", "('v108', 'v110')", "('v110', 'v110')", "None"])
    func readsPython(version: String) throws {
        let folder = try TemporaryFolder()
        let listing = try NumPy.run(
            """
            import h5py, numpy as np, sys
            rng = np.random.default_rng(1)
            n = 0
            with h5py.File(sys.argv[1] + '/t.h5', 'w', libver=\(version)) as f:
                many = f.create_group('many')
                for code in ['i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f4', 'f8']:
                    for order in '<>':
                        for shape in [(), (5,), (4, 3), (2, 3, 4)]:
                            raw = rng.normal(0, 60, shape) if code[0] == 'f' else rng.integers(0, 120, shape)
                            if code[0] == 'i': raw = raw - 60
                            many.create_dataset(f'n{n}', data=np.array(raw, dtype=np.dtype(code).newbyteorder(order)))
                            np.ascontiguousarray(many[f'n{n}'][()], dtype='<f8').tofile(f'{sys.argv[1]}/{n}.f8')
                            print(n, 'x'.join(map(str, shape)))
                            n += 1
                f['truth'] = np.array([True, False, True])
                f['text'] = 'µ of any length'
                f['fixed'] = np.array([b'NXSPE'])
                f['soft'] = h5py.SoftLink('/many/n1')
                f['through'] = h5py.SoftLink('many')
                f['away'] = h5py.ExternalLink('t.h5', '/many/n1')
                f['round'] = h5py.SoftLink('/round')
                f['named'] = np.dtype('<f8')
                f.create_dataset('typed', data=[1.5, 2.5], dtype=f['named'])
                f['many'].attrs['long'] = 'é' * 100
                for i in range(20): f['truth'].attrs[f'a{i}'] = i
            """, folder.path)
        let file = try HDF5File(path: folder.file("t.h5"))
        let lines = listing.split(separator: "\n")
        #expect(lines.count == 80)
        #expect(try file.names(in: "/many").count == 80)
        for line in lines {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let shape = parts[1].split(separator: "x").compactMap { Int($0) }
            let expected = AnyTensor(
                elementType: .float64, shape: shape, bytes: try AtomicFile.read(folder.file("\(parts[0]).f8")))
            #expect(try file.doubles("/many/n\(parts[0])") == expected?.asFloat64, "\(line)")
        }
        #expect(try file.doubles("/truth").elements == [1, 0, 1])
        #expect(try file.text("/text") == "µ of any length")
        #expect(try file.text("/fixed") == "NXSPE")
        #expect(try file.doubles("/soft") == file.doubles("/many/n1"))
        #expect(try file.doubles("/through/n3") == file.doubles("/many/n3"))
        #expect(try file.doubles("/typed").elements == [1.5, 2.5])
        #expect(!file.has("/away") && !file.has("/round"))
        #expect(try file.attribute("long", of: "/many")?.text == String(repeating: "é", count: 100))
        for index in 0..<20 { #expect(try file.attribute("a\(index)", of: "/truth")?.number == Double(index)) }
    }

    @Test("chunks through every filter that is read, fill values, and pieces of them")
    func chunks() throws {
        let folder = try TemporaryFolder()
        try NumPy.run(
            """
            import h5py, numpy as np, sys
            a = np.arange(11 * 13 * 5, dtype='<f4').reshape(11, 13, 5) / 3
            with h5py.File(sys.argv[1] + '/t.h5', 'w') as f:
                for name, options in dict(
                    plain={}, gzip=dict(compression='gzip'), shuffle=dict(compression='gzip', shuffle=True),
                    checked=dict(compression='gzip', shuffle=True, fletcher32=True), sum=dict(fletcher32=True)).items():
                    f.create_dataset(name, data=a, chunks=(4, 5, 2), **options)
                d = f.create_dataset('holes', shape=(10, 10), chunks=(5, 5), fillvalue=7.5)
                d[5:, 5:] = 1
                f.create_dataset('never', shape=(3,), fillvalue=-2)
                f.create_dataset('huge', shape=(2**40, 2**20), chunks=(1, 1024), dtype='f8')
                f.create_dataset('lzf', data=a, compression='lzf')
            for version in ['earliest', 'v110']:
                with h5py.File(f'{sys.argv[1]}/behind-{version}.h5', 'w', libver=version, userblock_size=1024) as f:
                    f.create_dataset('gzip', data=a, chunks=a.shape, compression='gzip')
            with h5py.File(sys.argv[1] + '/latest.h5', 'w', libver='v110') as f:
                f.create_dataset('one', data=a, chunks=a.shape, compression='gzip')
                for name, options in dict(
                    several={}, gzip=dict(compression='gzip', shuffle=True), sum=dict(fletcher32=True)).items():
                    f.create_dataset(name, data=a, chunks=(4, 5, 2), **options)
                # Room for every chunk from the beginning: they lie in a row.
                p = h5py.h5p.create(h5py.h5p.DATASET_CREATE); p.set_chunk((4, 5, 2))
                p.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                h5py.h5d.create(f.id, b'row', h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(a.shape), p)
                f['row'][...] = a
                f.create_dataset('growing', data=a, chunks=(4, 5, 2), maxshape=(None, 13, 5))
                f.create_dataset('many', data=np.arange(2000), chunks=(1,))
            """, folder.path)
        let file = try HDF5File(path: folder.file("t.h5"))
        let shape = [11, 13, 5]
        let expected = Tensor(shape: shape, elements: (0..<715).map { Double(Float($0) / 3) })
        for name in ["plain", "gzip", "shuffle", "checked", "sum"] {
            #expect(try file.doubles("/\(name)") == expected, "\(name)")
            let piece = try file.doubles("/\(name)", from: [3, 4, 1], count: [2, 7, 3])
            #expect(piece[1, 6, 2] == expected[4, 10, 3] && piece[0, 0, 0] == expected[3, 4, 1])
        }
        let holes = try file.doubles("/holes")
        #expect(holes[0, 0] == 7.5 && holes[9, 4] == 7.5 && holes[5, 5] == 1)
        #expect(try file.doubles("/never").elements == [-2, -2, -2])
        #expect(throws: InterchangeError.self) { try file.doubles("/huge") }
        #expect(
            message { () throws(InterchangeError) in _ = try file.doubles("/lzf") }.contains(
                "HDF5: filter 32000 is not read"))
        // The file begins after a block of the user's.
        for version in ["earliest", "v110"] {
            #expect(try HDF5File(path: folder.file("behind-\(version).h5")).doubles("/gzip") == expected)
        }
        let latest = try HDF5File(path: folder.file("latest.h5"))
        for name in ["one", "several", "gzip", "sum", "row"] {
            #expect(try latest.doubles("/\(name)") == expected, "\(name)")
            let piece = try latest.doubles("/\(name)", from: [3, 4, 1], count: [2, 7, 3])
            #expect(piece[1, 6, 2] == expected[4, 10, 3] && piece[0, 0, 0] == expected[3, 4, 1])
        }
        #expect(
            message { () throws(InterchangeError) in _ = try latest.doubles("/growing") }
                .contains("HDF5: the chunk index of a dataset that can grow is not read"))
        #expect(
            message { () throws(InterchangeError) in _ = try latest.doubles("/many") }
                .contains("HDF5: a dataset of 2000 chunks is not read"))
    }

    @Test(
        "damaged files of every version of the format are read or refused",
        arguments: ["'earliest'", "('earliest', 'v108')", "('v110', 'v110')"])
    func damaged(version: String) throws {
        let folder = try TemporaryFolder()
        try NumPy.run(
            """
            import h5py, numpy as np, sys
            a = np.arange(60.0).reshape(4, 5, 3)
            with h5py.File(sys.argv[1] + '/t.h5', 'w', libver=\(version)) as f:
                for name, options in dict(plain={}, chunks=dict(chunks=(2, 2, 2)), one=dict(chunks=a.shape),
                    gzip=dict(chunks=(2, 2, 2), compression='gzip', shuffle=True, fletcher32=True)).items():
                    f.create_dataset('g/' + name, data=a, **options)
                f['text'] = 'of any length'
                f['soft'] = h5py.SoftLink('/g/plain')
                f['g'].attrs['units'] = 'meV'
                for i in range(12): f[f'many/d{i}'] = i; f['many'].attrs[f'a{i}'] = 'x'
            """, folder.path)
        let original = try AtomicFile.read(folder.file("t.h5"))
        var random = SeededGenerator(state: 8)
        var (read, refused) = (0, 0)
        for _ in 0..<1_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                bytes[at] =
                    Bool.random(using: &random) ? bytes[at] ^ 1 << UInt8.random(in: 0..<8, using: &random) : 0xFF
            }
            guard let file = try? HDF5File(bytes: bytes, name: "damaged") else { continue }
            for path in ["/g/plain", "/g/chunks", "/g/one", "/g/gzip", "/soft", "/many/d7"] {
                do throws(InterchangeError) {
                    let tensor = try file.doubles(path)
                    #expect(tensor.elements.count == tensor.shape.reduce(1, *))
                    read += 1
                } catch {
                    #expect(error.file == "damaged")
                    refused += 1
                }
            }
            _ = try? file.text("/text")
            _ = try? file.attribute("units", of: "/g")
            _ = try? file.attribute("a11", of: "/many")
            _ = try? file.names(in: "/many")
        }
        // Both happen often, or nothing was tried.
        #expect(read > 500 && refused > 50)
    }

    @Test("h5py reads a run as it was written, and a run that h5py writes is read")
    func runs() throws {
        let folder = try TemporaryFolder()
        try NXSPETests.run.write(to: folder.file("ours.nxspe"))
        try NumPy.run(
            """
            import h5py, numpy as np, sys
            with h5py.File(sys.argv[1] + '/ours.nxspe') as f:
                assert list(f) == ['MAP11014'] and f['MAP11014'].attrs['NX_class'] == b'NXentry'
                e = f['MAP11014']
                assert e['definition'][0] == b'NXSPE' and e['definition'].attrs['version'] == b'1.2'
                i = e['NXSPE_info']
                assert i['fixed_energy'][0] == 787 and i['fixed_energy'].attrs['units'] == b'meV'
                assert i['psi'][0] == -12.5 and i['ki_over_kf_scaling'][0] == 1
                assert e['instrument/fermi/energy'][0] == 787 and e['instrument/name'][0] == b'MAPS'
                assert e['instrument/fermi'].attrs['NX_class'] == b'NXfermi_chopper' and 'sample' in e
                d = e['data']
                assert d['data'].dtype == 'f8' and (d['data'][()] == [[0.5, 1, 2], [3, 0, -0.25]]).all()
                assert d['data'].attrs['signal'] == 1 and d['data'].attrs['axes'] == b'polar:energy'
                assert (d['error'][()] == [[0.1, 0.2, 0.3], [0.4, 0, 0.5]]).all()
                assert (d['energy'][()] == [-10, 0, 10, 20]).all() and d['energy'].attrs['units'] == b'meV'
                assert (d['polar'][()] == [5, 60.5]).all() and (d['azimuthal'][()] == [90, -170]).all()
                assert (d['polar_width'][()] == 0.25).all() and (d['distance'][()] == [6, 6.5]).all()
            # As another program might: scalars, texts of any length, single precision.
            with h5py.File(sys.argv[1] + '/theirs.nxspe', 'w') as f:
                e = f.create_group('run42'); e.attrs['NX_class'] = 'NXentry'
                e['definition'] = 'NXSPE'
                e['NXSPE_info/fixed_energy'] = 35.0
                e['NXSPE_info/psi'] = float('nan')
                e['NXSPE_info/ki_over_kf_scaling'] = True
                e['instrument/name'] = 'LET'
                e['data/energy'] = np.arange(4.0)
                e.create_dataset('data/data', data=np.array([[1, 2, 3], [np.nan] * 3], dtype='f4'), compression='gzip')
                e['data/error'] = np.ones((2, 3), dtype='f4')
                for n in ['polar', 'azimuthal', 'polar_width', 'azimuthal_width']: e['data/' + n] = np.array([1.0, 2.0])
            """, folder.path)
        let run = try NXSPE(HDF5File(path: folder.file("theirs.nxspe")))
        #expect(run.entry == "run42" && run.instrument == "LET" && run.incidentEnergy == 35 && run.psi.isNaN)
        #expect(run.isScaledByKiOverKf == true && run.energyEdges == [0, 1, 2, 3])
        #expect(run.intensity.elements.prefix(3) == [1, 2, 3] && run.intensity.elements[3].isNaN)
        #expect(run.error.elements == [1, 1, 1, 0, 0, 0] && run.detectors[1].polar == 2)
    }

    @Test("h5py finds Mantid's layout in a histogram, and one in Mantid's layout that h5py writes is read")
    func histograms() throws {
        let folder = try TemporaryFolder()
        try MDHistogramTests.histogram.write(to: folder.file("ours.nxs"))
        // Types as Mantid's LoadMD demands them: double precision, a mask of signed bytes, flags of unsigned integers.
        try NumPy.run(
            """
            import h5py, numpy as np, sys
            with h5py.File(sys.argv[1] + '/ours.nxs') as f:
                e = f['MDHistoWorkspace']
                assert list(f) == ['MDHistoWorkspace'] and e.attrs['NX_class'] == b'NXentry'
                assert e.attrs['SaveMDVersion'] == 2 and e.attrs['QConvention'] == b'Inelastic'
                assert e['coordinate_system'].dtype == 'u4' and e['coordinate_system'][0] == 3
                assert e['visual_normalization'].dtype == 'u4' and e['visual_normalization'][0] == 0
                d = e['data']
                assert d.attrs['NX_class'] == b'NXdata' and d['signal'].attrs['axes'] == b'D2:D1:D0'
                assert d['signal'].dtype == 'f8' and d['signal'].shape == (2, 3, 4)
                assert (d['signal'][()].ravel() == np.arange(24)).all()
                assert (d['errors_squared'][()].ravel() == np.arange(24) / 4).all()
                assert (d['num_events'][()].ravel() == np.arange(24) * 2).all() and d['num_events'].dtype == 'f8'
                assert d['mask'].dtype == 'i1' and d['mask'][()].sum() == 1 and d['mask'][0, 1, 1] == 1
                for n, name, units, frame, edges in [
                    ('D0', b'[H,0,0]', b'r.l.u.', b'HKL', [-1, -0.5, 0, 0.5, 1]),
                    ('D1', b'[0,K,0]', b'r.l.u.', b'HKL', [-1.5, -0.5, 0.5, 1.5]),
                    ('D2', b'DeltaE', b'meV', b'General Frame', [2.5, 10, 17.5])]:
                    a = d[n].attrs
                    assert (a['long_name'], a['units'], a['frame']) == (name, units, frame)
                    assert (d[n][()] == edges).all()
            with h5py.File(sys.argv[1] + '/theirs.nxs', 'w') as f:
                d = f.create_group('MDHistoWorkspace/data')
                s = d.create_dataset('signal', data=np.arange(6.0).reshape(3, 2), chunks=(1, 2), compression='gzip')
                s.attrs['axes'] = '[0,K,0]:[H,0,0]'
                d['errors_squared'] = np.ones((3, 2)); d['num_events'] = np.ones((3, 2))
                d['mask'] = np.zeros((3, 2), dtype='i1')
                for n, k in (('[H,0,0]', 3), ('[0,K,0]', 4)):
                    # Mantid keeps coordinates in single precision.
                    d[n] = np.linspace(-0.1, 0.2, k).astype('f4').astype('f8')
                    d[n].attrs['long_name'] = n; d[n].attrs['units'] = 'in 1.992 A^-1'; d[n].attrs['frame'] = 'HKL'
                f['MDHistoWorkspace/experiment0/logs/Ei/value'] = [34.9]
            """, folder.path)
        let read = try MDHistogram(HDF5File(path: folder.file("theirs.nxs")))
        #expect(read.axes.map(\.name) == ["[0,K,0]", "[H,0,0]"] && read.axes.map(\.count) == [3, 2])
        #expect(read.axes[0].units == "in 1.992 A^-1" && read.incidentEnergy == 34.9)
        #expect(read.signal.elements == [0, 1, 2, 3, 4, 5])
    }
}
