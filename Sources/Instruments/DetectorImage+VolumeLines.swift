import Foundation

extension VolumeColumns {
    /// What a crystal that turns shows of a column: the part of each cell that lies in the range of w, or, without dispersion along
    /// the column, every layer.
    func pieces(
        of column: Column, _ turn: ImageVolume.Turn, _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void
    ) {
        let n = modes.grid[along]
        let (low, high) = (column.range.lowerBound, column.range.upperBound)
        if n == 1 {
            let step = (high - low) / Double(turn.layers)
            for layer in 0..<turn.layers {
                let from = low + Double(layer) * step
                piece(column, layer, from, from + step, centre: from + step / 2, turn, &intensities, body)
            }
            return
        }
        for box in cells.boxes(along: along) {
            let half = box.halfWidth / Double(n)
            let first = Int(((low - half) * Double(n)).rounded(.down))
            let last = Int(((high + half) * Double(n)).rounded(.up))
            for i in first...last where i % box.every == 0 {
                let centre = Double(i) / Double(n)
                let (from, to) = (max(low, centre - half), min(high, centre + half))
                guard to > from else { continue }
                piece(column, i, from, to, centre: centre, share: box.share, turn, &intensities, body)
            }
        }
    }

    private func piece(
        _ column: Column, _ i: Int, _ from: Double, _ to: Double, centre: Double, share: Double = 1,
        _ turn: ImageVolume.Turn, _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void
    ) {
        let point = point(column, i)
        let middle = (from + to) / 2
        let place = column.start + places[along] * middle
        guard isNear(place) else { return }
        let q = frame.axes * place
        let square = dot(q, q)
        intensities.move(to: own(place))
        let weight = area * share * (to - from) / (turn.w.upperBound - turn.w.lowerBound)
        for mode in 0..<modes.energies.shape[1] {
            let energy = modes.energies.elements[point * modes.energies.shape[1] + mode]
            guard energy > 0, energy < 1e6 else { continue }
            let slope = velocity(point, mode, along)
            let here = energy + slope * (middle - centre)
            func across(_ axis: Int) -> SIMD3<Double> {
                side(axis, places[axis].x, places[axis].y, velocity(point, mode, axis))
            }
            let sides = (
                across(self.across.0), across(self.across.1),
                SIMD3(places[along].x, places[along].y, slope) * (to - from)
            )
            // Of Q alone, so that every incident energy has the same.
            var known: Double?
            for setting in image.geometry.settings.indices {
                let incident = image.geometry.settings[setting].incidentEnergy
                guard here > 0 else { continue }
                let isReached = Neutron.reaches(squaredWavevector: square, incidentEnergy: incident, energy: here)
                let part =
                    cells.finest == 0
                    ? (isReached ? 1 : 0)
                    : reachedPart(
                        q, incidentEnergy: incident, energy: here,
                        edges: edges(to - from).map { ($0, velocity(point, mode, $1) * $2) })
                guard part > 0 else { continue }
                emit(
                    setting: setting, place: place, energy: here, sides: sides, weight: weight * part,
                    address: address(column, i, mode),
                    intensity: {
                        let value = known ?? intensities.value(point: point, mode: mode)
                        known = value
                        return value
                    }, body)
            }
        }
    }

    /// Edges of a piece of a column, in 1/Å, with their axes and lengths in magnetic r.l.u.
    private func edges(_ length: Double) -> [(q: SIMD3<Double>, axis: Int, length: Double)] {
        [(across.0, width(across.0)), (across.1, width(across.1)), (along, length)].map { axis, length in
            (frame.axes * places[axis] * length, axis, length)
        }
    }

    /// The part of a cell that kinematics allow, where
    ///
    ///     g = 4 ki² kf² − (ki² + kf² − Q²)² ≥ 0,
    ///
    /// with g linear over the cell, and distributed over it as a box of its variance.
    ///
    /// - Parameter edges: changes of Q and of the mode's energy along the cell's edges.
    private func reachedPart(
        _ q: SIMD3<Double>, incidentEnergy: Double, energy: Double, edges: [(q: SIMD3<Double>, energy: Double)]
    ) -> Double {
        guard energy < incidentEnergy else { return 0 }
        let perEnergy = 1 / Neutron.energyPerWavevectorSquared
        let (first, final) = (incidentEnergy * perEnergy, (incidentEnergy - energy) * perEnergy)
        let rest = first + final - dot(q, q)
        let g = 4 * first * final - rest * rest
        var square = 0.0
        for edge in edges {
            let change = 4 * rest * dot(q, edge.q) - (4 * first - 2 * rest) * edge.energy * perEnergy
            square += change * change
        }
        return min(max(0.5 + g / max(square.squareRoot(), 1e-300), 0), 1)
    }

    /// Where the surface that a crystal at rest shows at a mode's energy meets a column.
    func crossings(of column: Column, _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void) {
        let n = modes.grid[along]
        let indices =
            n == 1
            ? 0...0
            : Int(
                (column.range.lowerBound * Double(n)).rounded(.down))...Int(
                    (column.range.upperBound * Double(n)).rounded(.up))
        for i in indices {
            let point = point(column, i)
            for mode in 0..<modes.energies.shape[1] {
                let energy = modes.energies.elements[point * modes.energies.shape[1] + mode]
                guard energy > 0, energy < 1e6 else { continue }
                for setting in image.geometry.settings.indices {
                    if n == 1 {
                        flatCrossings(column, point, mode, energy, setting, &intensities, body)
                    } else {
                        crossing(column, point, i, mode, energy, setting, &intensities, body)
                    }
                }
            }
        }
    }

    /// The surface of (x, y, w) that is seen, about one of its places.
    private struct Surface {
        /// ∂w/∂x, ∂w/∂y, ∂w/∂E.
        var x: Double
        var y: Double
        var energy: Double

        /// kf · (u dx + v dy + w dw) = dE / 2C
        init(_ final: SIMD3<Double>, _ laboratory: Triad) {
            let up = dot(final, laboratory.z)
            x = -dot(final, laboratory.x) / up
            y = -dot(final, laboratory.y) / up
            energy = 1 / (2 * Neutron.energyPerWavevectorSquared * up)
        }

        /// How far a step leads off the surface at constant energy.
        func off(_ step: SIMD3<Double>) -> Double { step.z - x * step.x - y * step.y }
    }

    /// Exact, where a mode does not disperse along the column.
    private func flatCrossings(
        _ column: Column, _ point: Int, _ mode: Int, _ energy: Double, _ setting: Int,
        _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void
    ) {
        let incident = image.geometry.settings[setting].incidentEnergy
        guard energy < incident else { return }
        let start = SIMD3(Neutron.wavevector(energy: incident), 0, 0) - frame.laboratory * column.start
        let line = frame.laboratory * places[along]
        let (a, b) = (dot(line, line), dot(start, line))
        let square = (incident - energy) / Neutron.energyPerWavevectorSquared
        let discriminant = b * b - a * (dot(start, start) - square)
        guard discriminant > 0 else { return }
        for (number, sign) in [-1.0, 1].enumerated() {
            let t = (b + sign * discriminant.squareRoot()) / a
            let final = start - line * t
            let place = column.start + places[along] * t
            guard frame.isSeenSide(final), isNear(place) else { continue }
            let surface = Surface(final, frame.laboratory)
            let off = surface.off(places[along])
            func across(_ axis: Int) -> SIMD3<Double> {
                let v = velocity(point, mode, axis)
                let shift = -(surface.off(places[axis]) - surface.energy * v) / off
                return side(axis, places[axis].x + shift * places[along].x, places[axis].y + shift * places[along].y, v)
            }
            emit(
                setting: setting, place: place, energy: energy,
                sides: (across(self.across.0), across(self.across.1), .zero), weight: area / abs(off),
                address: address(column, 0, mode, crossing: number),
                intensity: {
                    intensities.move(to: own(place))
                    return intensities.value(point: point, mode: mode)
                }, body)
        }
    }

    /// To first order about a grid point; neighbours share a crossing by linear interpolation.
    private func crossing(
        _ column: Column, _ point: Int, _ i: Int, _ mode: Int, _ energy: Double, _ setting: Int,
        _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void
    ) {
        let n = Double(modes.grid[along])
        let incident = image.geometry.settings[setting].incidentEnergy
        let grid = column.start + places[along] * (Double(i) / n)
        guard energy < incident,
            let seen = frame.seen(x: grid.x, y: grid.y, incidentEnergy: incident, energy: energy)
        else { return }
        let surface = Surface(seen.final, frame.laboratory)
        let slope = velocity(point, mode, along)
        let off = surface.off(places[along])
        let relative = 1 - surface.energy * slope / off
        let size = max(abs(relative), 0.05) * (relative < 0 ? -1 : 1)
        let t = (seen.w - grid.z) / (off * size)
        let share = cells.hat(abs(t) * n, at: i, along: along) / abs(size * off)
        guard share > 0 else { return }
        let (dx, dy) = (places[along].x * t, places[along].y * t)
        let place = SIMD3(
            grid.x + dx, grid.y + dy, seen.w + surface.x * dx + surface.y * dy + surface.energy * slope * t)
        guard isNear(place) else { return }
        func across(_ axis: Int) -> SIMD3<Double> {
            let v = velocity(point, mode, axis)
            let other = surface.off(places[axis])
            let shift = -(other - surface.energy * v) / (off * size)
            return side(
                axis, places[axis].x + shift * places[along].x, places[axis].y + shift * places[along].y,
                (v * off - slope * other) / (off * size))
        }
        emit(
            setting: setting, place: place, energy: energy + slope * t,
            sides: (across(self.across.0), across(self.across.1), .zero), weight: area * share,
            address: address(column, i, mode),
            intensity: {
                intensities.move(to: own(place))
                return intensities.value(point: point, mode: mode)
            }, body)
    }
}
