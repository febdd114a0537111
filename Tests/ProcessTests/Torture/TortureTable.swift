/// How often each moment had its turn, and how often the kill really hit.
struct TortureTable: CustomStringConvertible {
    private struct Cell {
        var rounds = 0
        var hits = 0
    }

    private var cells: [TortureRound.Moment: [TortureRound.Victim: Cell]] = [:]

    mutating func add(_ round: TortureRound, isHit: Bool) {
        cells[round.moment, default: [:]][round.victim, default: Cell()].rounds += 1
        if isHit { cells[round.moment]![round.victim]!.hits += 1 }
    }

    var hits: Int { cells.values.flatMap(\.values).reduce(0) { $0 + $1.hits } }

    /// Had their turn, and never came.
    var neverHit: [TortureRound.Moment] {
        cells.filter { _, victims in victims.values.allSatisfy { $0.hits == 0 } }.map(\.key)
    }

    var description: String {
        func line(_ head: String, _ columns: [String]) -> String {
            ([head] + columns).map { $0 + String(repeating: " ", count: max(0, 16 - $0.count)) }.joined()
        }
        var lines = [line("kills / rounds", TortureRound.Victim.allCases.map(\.rawValue))]
        for moment in TortureRound.Moment.allCases {
            guard let victims = cells[moment] else { continue }
            lines.append(
                line(
                    "\(moment)",
                    TortureRound.Victim.allCases.map { victim in
                        victims[victim].map { "\($0.hits) / \($0.rounds)" } ?? "-"
                    }))
        }
        return lines.joined(separator: "\n")
    }
}
