/// A bond as the frame that turns with the spiral sees it: the spin of the far cell is turned by `turn` from how it
/// stands in the origin cell.
struct FrameBond: Hashable, Sendable {
    var from, to: Int
    /// S_iᵀ J R S_j
    var exchange: ParametricMatrix
    /// B (S_iᵀ R S_j)²
    var biquadratic: ParametricScalar
    /// R; the unit matrix without a spiral.
    var turn: Matrix3

    init(_ bond: Bond, in spiral: SpinSpiral?) {
        from = bond.from
        to = bond.to
        biquadratic = bond.biquadratic
        guard let spiral else {
            exchange = bond.exchange
            turn = .identity
            return
        }
        let turn = spiral.turn(over: bond.offset)
        self.turn = turn
        exchange = ParametricMatrix(bond.exchange.terms.map { .init($0.parameter, $0.matrix * turn) })
    }
}
