/// The arithmetic of layers with kernels while a network is trained. Weights, their gradients, what the optimiser
/// remembers and what is summed are in single precision either way; so is every trained network.
public enum Precision: String, Hashable, Sendable, CaseIterable {
    /// Single precision.
    case f32
    /// Activations and copies of the kernels in bfloat16: single precision's range with 8 bits of mantissa, for
    /// processors that multiply it (avx512_bf16) and CUDA devices of compute capability 8.0 or later.
    case bf16

    /// Whether this machine's processor has the arithmetic.
    public var isSupported: Bool { self == .f32 || Engine.hasBF16 }

    /// - Throws: `LearningError.machine` where this machine does not have it.
    func require() throws(LearningError) {
        if !isSupported {
            throw .machine(
                problem: "this processor has no arithmetic for precision \(rawValue)",
                hint: "use precision f32, a processor with avx512_bf16, or a CUDA device of compute capability 8.0 "
                    + "or later")
        }
    }
}
