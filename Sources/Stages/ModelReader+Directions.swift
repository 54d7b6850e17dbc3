import Diagnostics
import GraphLanguage
import SpinWaves

/// Directions of the spins that symmetry made: the file says the order, symmetry does not.
extension ModelReader {
    /// One direction for each site of an orbit: a vector for all, a list in their order, a mapping by label, or the moments of
    /// a magnetic CIF file.
    mutating func directions(_ source: WrittenSite, _ crystal: Crystal, _ members: [Int]) -> [Vector3]? {
        let name = "site \(source.site.label)"
        guard let written = source.item["direction"], !written.isNull else {
            guard let moment = source.moment else {
                report(
                    "\(name) needs 'direction'", at: source.item.range,
                    hint: members.count == 1
                        ? nil : "give one vector for all, or one for each of \(listed(crystal, members))")
                return nil
            }
            do throws(CrystalError) {
                // The spin is opposite to the moment.
                return try crystal.moments(-moment, at: members[0]).map(\.moment)
            } catch {
                report(error, at: source.item.range)
                return nil
            }
        }
        return vectors(written, "direction", name, crystal, members)
    }

    /// One vector for all sites of an orbit, a list in their order, or a mapping by label; `noun` says of what, for messages.
    mutating func vectors(
        _ written: Located, _ noun: String, _ name: String, _ crystal: Crystal, _ members: [Int]
    ) -> [Vector3]? {
        if let entries = written.entries { return vectors(byLabel: entries, written, noun, name, crystal, members) }
        guard let items = written.items, items.contains(where: { $0.items != nil }) else {
            return vector(written, "the \(noun) of \(name)").map { one in members.map { _ in one } }
        }
        guard items.count == members.count else {
            report(
                "\(name) makes \(count(members.count, "site")) of the cell and has \(count(items.count, noun))",
                at: written.range, hint: "in their order the sites are \(listed(crystal, members))")
            return nil
        }
        let vectors = items.compactMap { vector($0, "a \(noun) of \(name)") }
        return vectors.count == members.count ? vectors : nil
    }

    private mutating func vectors(
        byLabel entries: [Located.Entry], _ written: Located, _ noun: String, _ name: String, _ crystal: Crystal,
        _ members: [Int]
    ) -> [Vector3]? {
        let known = members.map { crystal.sites[$0].label }
        for entry in entries where !known.contains(entry.key) {
            report(
                "\(name) makes no site '\(entry.key)'", at: entry.keyRange,
                hint: Spelling.nearest(to: entry.key, among: known).map { "did you mean '\($0)'?" }
                    ?? "the sites are \(listed(crystal, members))")
        }
        let missing = members.filter { index in !entries.contains { $0.key == crystal.sites[index].label } }
        if !missing.isEmpty {
            report("\(name) has no \(noun) for \(listed(crystal, missing))", at: written.range)
        }
        let vectors = known.compactMap { label in
            entries.first { $0.key == label }.flatMap { vector($0.value, "the \(noun) of site \(label)") }
        }
        return vectors.count == members.count ? vectors : nil
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// `Mn1-1 (0 0 0), Mn1-2 (1/2 1/2 1/2)`.
    private func listed(_ crystal: Crystal, _ members: [Int]) -> String {
        let shown = members.prefix(16).map { "\(crystal.sites[$0].label) (\(crystal.positionText($0)))" }
        return shown.joined(separator: ", ") + (members.count > 16 ? " and \(members.count - 16) more" : "")
    }
}
