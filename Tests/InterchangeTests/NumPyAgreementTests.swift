import Foundation
import Tensors
import Testing

@testable import Interchange

@Suite("Agreement with NumPy", .enabled(if: NumPy.isAvailable, "needs python3 with numpy"))
struct NumPyAgreementTests {
    @Test("every number type, byte order, memory order and rank that NumPy writes is read as NumPy reads it")
    func readsNumPy() throws {
        let folder = try TemporaryFolder()
        let listing = try NumPy.run(
            """
            import numpy as np, sys, io
            from numpy.lib import format
            n = 0
            rng = np.random.default_rng(1)
            for code in ['?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8']:
                for order in '<>':
                    for shape in [(), (0,), (5,), (3, 0), (4, 3), (2, 3, 4), (2, 1, 3, 2)]:
                        for fortran in (False, True):
                            dtype = np.dtype(code).newbyteorder(order)
                            raw = rng.normal(0, 60, shape) if code[0] == 'f' else rng.integers(0, 120, shape)
                            if code[0] == 'i': raw = raw - 60
                            a = np.array(raw, dtype=dtype, order='F' if fortran else 'C')
                            for version in ((1, 0), (2, 0), (3, 0)) if shape == (4, 3) else ((1, 0),):
                                with open(f'{sys.argv[1]}/{n}.npy', 'wb') as f: format.write_array(f, a, version=version)
                                np.ascontiguousarray(a, dtype='<f8').tofile(f'{sys.argv[1]}/{n}.f8')
                                print(n, 'x'.join(map(str, shape)), dtype.name)
                                n += 1
            """, folder.path)
        let types = [
            "bool": ElementType.uint8, "uint8": .uint8, "int8": .int32, "int16": .int32, "uint16": .int32,
            "int32": .int32,
            "uint32": .int64, "int64": .int64, "uint64": .int64, "float16": .float32, "float32": .float32,
            "float64": .float64,
        ]
        let lines = listing.split(separator: "\n")
        #expect(lines.count == 12 * 2 * (7 + 2) * 2)
        for line in lines {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let shape = parts[1].split(separator: "x").compactMap { Int($0) }
            let tensor = try NPY.read(path: folder.file("\(parts[0]).npy"))
            let expected = AnyTensor(
                elementType: .float64, shape: shape, bytes: try AtomicFile.read(folder.file("\(parts[0]).f8")))
            #expect(tensor.asFloat64 == expected?.asFloat64, "\(line)")
            #expect(tensor.elementType == types[parts[2]], "\(line)")
        }
    }

    @Test("NumPy reads what is written: .npy and .npz, every element type")
    func numPyReads() throws {
        let folder = try TemporaryFolder()
        let arrays: [String: AnyTensor] = [
            "bytes": .uint8(Tensor(shape: [2, 2], elements: [0, 1, 254, 255])),
            "int32": .int32(Tensor(shape: [3], elements: [.min, 0, .max])),
            "int64": .int64(Tensor(shape: [], elements: [.min])),
            "single": .float32(Tensor(shape: [1, 2], elements: [0.1, -1e30])),
            "Å double": .float64(Tensor(shape: [2, 1, 2], elements: [0.1, .pi, -0x1p-1074, 1e300])),
        ]
        try NPZ.write(arrays, to: folder.file("all.npz"))
        for (name, tensor) in arrays { try NPY.write(tensor, to: folder.file("\(name).npy")) }
        let report = try NumPy.run(
            """
            import numpy as np, sys
            z = np.load(sys.argv[1] + '/all.npz')
            for name in sorted(z.files):
                a = np.load(f'{sys.argv[1]}/{name}.npy')
                assert a.dtype == z[name].dtype and a.shape == z[name].shape and (a == z[name]).all()
                print(len(name), a.dtype, a.shape, [float(x) for x in a.ravel()])
            """, folder.path)
        #expect(
            report == """
                5 uint8 (2, 2) [0.0, 1.0, 254.0, 255.0]
                5 int32 (3,) [-2147483648.0, 0.0, 2147483647.0]
                5 int64 () [-9.223372036854776e+18]
                6 float32 (1, 2) [0.10000000149011612, -1.0000000150474662e+30]
                8 float64 (2, 1, 2) [0.1, 3.141592653589793, -5e-324, 1e+300]

                """)
    }

    @Test("archives of numpy.savez and numpy.savez_compressed are read", arguments: ["savez", "savez_compressed"])
    func readsArchives(function: String) throws {
        let folder = try TemporaryFolder()
        try NumPy.run(
            """
            import numpy as np, sys
            np.\(function)(sys.argv[1] + '/a.npz', np.arange(6).reshape(2, 3), mask=np.array([True, False]),
                **{'deep/name': np.float32(2.5)})
            """, folder.path)
        #expect(
            try NPZ.read(path: folder.file("a.npz")) == [
                "arr_0": .int64(Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])),
                "mask": .uint8(Tensor(shape: [2], elements: [1, 0])),
                "deep/name": .float32(Tensor(shape: [], elements: [2.5])),
            ])
    }

    @Test("Python reads the JSON of doubles back exactly, and the csv of a matrix")
    func pythonReadsText() throws {
        let folder = try TemporaryFolder()
        let values: [Double] = [0.1, 1.0 / 3, 0x1p-1074, -1.797_693_134_862_315_7e308, 1e22, 123_456_789_012_345_680]
        let tensor = AnyTensor.float64(Tensor(shape: [2, 3], elements: values))
        try AtomicFile.write(ValueJSON.encode(.tensor(tensor)), to: folder.file("t.json"))
        try AtomicFile.write(try CSV.encode(tensor), to: folder.file("t.csv"))
        try NPY.write(tensor, to: folder.file("t.npy"))
        try NumPy.run(
            """
            import numpy as np, json, sys
            a = np.load(sys.argv[1] + '/t.npy')
            j = json.load(open(sys.argv[1] + '/t.json'))
            assert (np.array(j['data'], dtype=j['dtype']).reshape(j['shape']) == a).all()
            assert (np.loadtxt(sys.argv[1] + '/t.csv', delimiter=',') == a).all()
            """, folder.path)
    }
}
