import Core

/// A raw batch's name.
struct BatchKey: Hashable, Comparable, Sendable {
    var day: Day
    var node: String
    var seq: Int64

    static func < (left: BatchKey, right: BatchKey) -> Bool {
        (left.day, left.node, left.seq) < (right.day, right.node, right.seq)
    }
}

extension BatchKey: CustomStringConvertible {
    var description: String { "\(node) \(seq) of \(day)" }
}
