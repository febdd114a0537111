/// How often each moment had its turn, and how often the kill really hit.
struct SaleTable: CustomStringConvertible {
    private struct Row {
        var rounds = 0
        var hits = 0
    }

    private var rows: [String: Row] = [:]

    mutating func add(_ round: SaleRound, isHit: Bool) {
        let name = "\(round.victim) \(round.moment)"
        rows[name, default: Row()].rounds += 1
        if isHit { rows[name]!.hits += 1 }
    }

    /// Had their turn, and never came.
    var neverHit: [String] { rows.filter { $0.value.hits == 0 }.map(\.key).sorted() }

    var description: String {
        let width = (rows.keys.map(\.count).max() ?? 0) + 2
        return rows.sorted { $0.key < $1.key }.map { name, row in
            name + String(repeating: " ", count: width - name.count) + "\(row.hits) / \(row.rounds)"
        }.joined(separator: "\n")
    }
}
