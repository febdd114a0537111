/// What one benchmark measured, under which conditions.
struct BenchReport: Encodable, Equatable, Sendable {
    var name: String
    /// What a reader must know to compare the figures with others.
    var conditions: String
    var figures: [Figure] = []

    /// A table with a line for each figure and peer; numbers to the right.
    func table() -> String {
        var rows = [["", "measured", "", "peer", "theirs", "times"]]
        for figure in figures {
            let peers = figure.peers.map { peer in
                [peer.name, Self.text(peer.range), Self.times(figure.times(peer))]
            }
            let first = peers.first ?? ["", "", ""]
            rows.append([figure.what, Self.text(figure.value), figure.unit] + first)
            for peer in peers.dropFirst() { rows.append(["", "", ""] + peer) }
        }
        let isRight = [false, true, false, false, true, true]
        let widths = (0..<6).map { column in rows.map { $0[column].count }.max()! }
        let lines = rows.map { row in
            let cells = (0..<6).map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return isRight[column] ? padding + row[column] : row[column] + padding
            }
            let line = "  " + cells.joined(separator: "  ")
            return String(line[...(line.lastIndex { $0 != " " } ?? line.startIndex)])
        }
        return "\(name): \(conditions)\n" + lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ range: ClosedRange<Double>) -> String {
        range.lowerBound == range.upperBound
            ? text(range.lowerBound) : "\(text(range.lowerBound)) – \(text(range.upperBound))"
    }

    /// Three digits or more.
    static func text(_ value: Double) -> String {
        if abs(value) >= 100 { return grouped(Int(value.rounded())) }
        return decimals(value, abs(value) >= 10 ? 1 : 2)
    }

    /// Nothing at all is infinitely better than something.
    private static func times(_ times: Double) -> String { times.isFinite ? "\(text(times))×" : "∞" }

    private static func decimals(_ value: Double, _ count: Int) -> String {
        let scale = count == 1 ? 10 : 100
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: count - fraction.count)
        return "\(value < 0 ? "-" : "")\(scaled / scale).\(zeros)\(fraction)"
    }
}
