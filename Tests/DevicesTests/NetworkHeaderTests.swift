import CCUDA
import Foundation
import Testing

/// NVIDIA's headers where they are found: in SPINWEAVE_CUDA_HEADERS (directories, separated by colons, with those below them), or with PyPI's nvidia-cudnn and
/// nvidia-cublas.
private enum NVIDIAHeaders {
    /// The text of a header; nil where it is not found.
    static func text(_ name: String) -> String? {
        for root in roots {
            guard let files = FileManager.default.enumerator(atPath: root) else { continue }
            for case let file as String in files where file == name || file.hasSuffix("/" + name) {
                return try? String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
            }
        }
        return nil
    }

    private static let roots: [String] = {
        if let given = ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_HEADERS"] {
            return given.split(separator: ":").map(String.init)
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import nvidia; print('\\n'.join(nvidia.__path__), end='')"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return [] }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }()

    /// What an enumeration says that a name is.
    static func value(_ name: String, in text: String) throws -> Int? {
        let found = try Regex("\\b\(name)\\s*=\\s*(-?[0-9]+)", as: (Substring, Substring).self).firstMatch(in: text)
        return found.flatMap { Int($0.output.1) }
    }

    /// Names of a function's parameters, in their order.
    static func parameters(_ function: String, in text: String) throws -> [String] {
        let declaration = try Regex("\\b\(function)\\s*\\(([^;{]*?)\\)\\s*;", as: (Substring, Substring).self)
        guard let found = text.firstMatch(of: declaration) else { return [] }
        return found.output.1.split(separator: ",").map { parameter in
            String(parameter.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.last ?? "")
        }
    }
}

/// What is declared in Sources/CCUDA/include for networks, against the headers that it stands for.
@Suite("NVIDIA's headers for networks say the same")
struct NetworkHeaderTests {
    @Test(
        "cuDNN's enumerations",
        .enabled(
            if: NVIDIAHeaders.text("cudnn_graph.h") != nil,
            "cuDNN's headers are not here: pip install nvidia-cudnn-cu12"))
    func dnn() throws {
        let text = ["cudnn_graph.h", "cudnn_ops.h", "cudnn_cnn.h"].compactMap { NVIDIAHeaders.text($0) }.joined()
        let names: [(String, Int)] = [
            ("CUDNN_STATUS_NOT_INITIALIZED", SW_DNN_NOT_INITIALIZED),
            ("CUDNN_STATUS_INTERNAL_ERROR", SW_DNN_INTERNAL_ERROR),
            ("CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED", SW_DNN_HOST_ALLOCATION_FAILED),
            ("CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", SW_DNN_DEVICE_ALLOCATION_FAILED),
            ("CUDNN_STATUS_EXECUTION_FAILED", SW_DNN_EXECUTION_FAILED),
            ("CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM", SW_DNN_FORWARD_INDEXED_PRODUCT),
            ("CUDNN_DATA_FLOAT", SW_DNN_FLOAT), ("CUDNN_DATA_BFLOAT16", SW_DNN_BF16),
            ("CUDNN_TENSOR_NCHW", SW_DNN_ROW_MAJOR), ("CUDNN_CROSS_CORRELATION", SW_DNN_CROSS_CORRELATION),
            ("CUDNN_DETERMINISTIC", SW_DNN_DETERMINISTIC), ("CUDNN_DEFAULT_MATH", SW_DNN_DEFAULT_MATH),
            ("CUDNN_TENSOR_OP_MATH", SW_DNN_TENSOR_MATH),
            ("CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION", SW_DNN_CONVERTING_MATH), ("CUDNN_FMA_MATH", SW_DNN_FMA_MATH),
            ("CUDNN_CONVOLUTION_FWD_ALGO_DIRECT", SW_DNN_FORWARD_PRODUCTS),
            ("CUDNN_CONVOLUTION_BWD_DATA_ALGO_1", SW_DNN_BACKWARD_DATA_PRODUCT),
            ("CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1", SW_DNN_BACKWARD_FILTER_PRODUCT),
        ].map { ($0, Int($1)) }
        for (name, value) in names { #expect(try NVIDIAHeaders.value(name, in: text) == value, "\(name)") }
        #expect(
            try NVIDIAHeaders.parameters("cudnnConvolutionBackwardFilter", in: text) == [
                "handle", "alpha", "xDesc", "x", "dyDesc", "dy", "convDesc", "algo", "workSpace",
                "workSpaceSizeInBytes", "beta", "dwDesc", "dw",
            ])
    }

    @Test(
        "cuBLAS's enumerations and the order of its parameters",
        .enabled(
            if: NVIDIAHeaders.text("cublas_api.h") != nil,
            "cuBLAS's headers are not here: pip install nvidia-cublas-cu12"))
    func blas() throws {
        let text = try #require(NVIDIAHeaders.text("cublas_api.h"))
        let names: [(String, Int)] = [
            ("CUBLAS_STATUS_NOT_INITIALIZED", SW_BLAS_NOT_INITIALIZED),
            ("CUBLAS_STATUS_MAPPING_ERROR", SW_BLAS_MAPPING_ERROR),
            ("CUBLAS_STATUS_EXECUTION_FAILED", SW_BLAS_EXECUTION_FAILED),
            ("CUBLAS_STATUS_INTERNAL_ERROR", SW_BLAS_INTERNAL_ERROR),
            ("CUBLAS_STATUS_ALLOC_FAILED", SW_BLAS_ALLOCATION_FAILED), ("CUBLAS_OP_N", SW_BLAS_PLAIN),
            ("CUBLAS_OP_T", SW_BLAS_TRANSPOSED), ("CUBLAS_DEFAULT_MATH", SW_BLAS_DEFAULT_MATH),
            ("CUBLAS_PEDANTIC_MATH", SW_BLAS_PEDANTIC_MATH), ("CUBLAS_TF32_TENSOR_OP_MATH", SW_BLAS_TF32_MATH),
            ("CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION", SW_BLAS_FULL_REDUCTION),
            ("CUBLAS_ATOMICS_NOT_ALLOWED", SW_BLAS_ATOMICS_NOT_ALLOWED),
            ("CUBLAS_COMPUTE_32F", SW_BLAS_COMPUTE_FLOAT), ("CUBLAS_GEMM_DEFAULT", SW_BLAS_USUAL_ALGORITHM),
        ].map { ($0, Int($1)) }
        for (name, value) in names { #expect(try NVIDIAHeaders.value(name, in: text) == value, "\(name)") }
        // As `multiply_mixed` has them.
        #expect(
            try NVIDIAHeaders.parameters("cublasGemmEx", in: text) == [
                "handle", "transa", "transb", "m", "n", "k", "alpha", "A", "Atype", "lda", "B", "Btype", "ldb", "beta",
                "C", "Ctype", "ldc", "computeType", "algo",
            ])
        guard let types = NVIDIAHeaders.text("library_types.h") else { return }
        #expect(try NVIDIAHeaders.value("CUDA_R_32F", in: types) == Int(SW_BLAS_FLOAT))
        #expect(try NVIDIAHeaders.value("CUDA_R_16BF", in: types) == Int(SW_BLAS_BF16))
    }
}
