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
                piece(column, point(column, 0), from, from + step, centre: from + step / 2, turn, &intensities, body)
            }
            return
        }
        let half = 0.5 / Double(n)
        for i in Int(((low - half) * Double(n)).rounded(.down))...Int(((high + half) * Double(n)).rounded(.up)) {
            let centre = Double(i) / Double(n)
            let (from, to) = (max(low, centre - half), min(high, centre + half))
            if to > from { piece(column, point(column, i), from, to, centre: centre, turn, &intensities, body) }
        }
    }

    private func piece(
        _ column: Column, _ point: Int, _ from: Double, _ to: Double, centre: Double, _ turn: ImageVolume.Turn,
        _ intensities: inout ModeIntensities, _ body: (VolumeLine) -> Void
    ) {
        let middle = (from + to) / 2
        let place = column.start + places[along] * middle
        guard isNear(place) else { return }
        let q = frame.axes * place
        let square = dot(q, q)
        intensities.move(to: own(place))
        let weight = area * (to - from) / (turn.w.upperBound - turn.w.lowerBound)
        for mode in 0..<modes.energies.shape[1] {
            let energy = modes.energies.elements[point * modes.energies.shape[1] + mode]
            guard energy > 0, energy < 1e6 else { continue }
            let slope = velocity(point, mode, along)
            let here = energy + slope * (middle - centre)
            func across(_ axis: Int) -> SIMD3<Double> {
                step(axis, places[axis].x, places[axis].y, velocity(point, mode, axis))
            }
            let steps = (
                across(self.across.0), across(self.across.1),
                SIMD3(places[along].x, places[along].y, slope) * (to - from)
            )
            for setting in image.geometry.settings.indices {
                let incident = image.geometry.settings[setting].incidentEnergy
                guard here > 0,
                    Neutron.reaches(squaredWavevector: square, incidentEnergy: incident, energy: here)
                else { continue }
                emit(
                    setting: setting, place: place, energy: here, steps: steps, weight: weight,
                    intensity: { intensities.value(point: point, mode: mode) }, body)
            }
        }
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
        for sign in [-1.0, 1] {
            let t = (b + sign * discriminant.squareRoot()) / a
            let final = start - line * t
            let place = column.start + places[along] * t
            guard frame.isSeenSide(final), isNear(place) else { continue }
            let surface = Surface(final, frame.laboratory)
            let off = surface.off(places[along])
            intensities.move(to: own(place))
            func across(_ axis: Int) -> SIMD3<Double> {
                let v = velocity(point, mode, axis)
                let shift = -(surface.off(places[axis]) - surface.energy * v) / off
                return step(axis, places[axis].x + shift * places[along].x, places[axis].y + shift * places[along].y, v)
            }
            emit(
                setting: setting, place: place, energy: energy,
                steps: (across(self.across.0), across(self.across.1), .zero), weight: area / abs(off),
                intensity: { intensities.value(point: point, mode: mode) }, body)
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
        let share = (1 - abs(t) * n) / abs(size * off)
        guard share > 0 else { return }
        let (dx, dy) = (places[along].x * t, places[along].y * t)
        let place = SIMD3(
            grid.x + dx, grid.y + dy, seen.w + surface.x * dx + surface.y * dy + surface.energy * slope * t)
        guard isNear(place) else { return }
        func across(_ axis: Int) -> SIMD3<Double> {
            let v = velocity(point, mode, axis)
            let other = surface.off(places[axis])
            let shift = -(other - surface.energy * v) / (off * size)
            return step(
                axis, places[axis].x + shift * places[along].x, places[axis].y + shift * places[along].y,
                (v * off - slope * other) / (off * size))
        }
        var isMoved = false
        emit(
            setting: setting, place: place, energy: energy + slope * t,
            steps: (across(self.across.0), across(self.across.1), .zero), weight: area * share,
            intensity: {
                if !isMoved { intensities.move(to: own(place)) }
                isMoved = true
                return intensities.value(point: point, mode: mode)
            }, body)
    }
}
