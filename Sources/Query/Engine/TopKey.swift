import Core

/// A value of a dimension in a ranking, or none, which comes after every value.
struct TopKey: Comparable, Sendable {
    var text: ExactText?
    /// How many of what may lie in remainders lie in those of days on which it has a row: none of them is its own.
    var excluded: Int64 = 0

    static func < (left: TopKey, right: TopKey) -> Bool {
        guard let leftText = left.text else { return false }
        guard let rightText = right.text else { return true }
        return leftText < rightText
    }

    static func == (left: TopKey, right: TopKey) -> Bool { left.text == right.text }
}
