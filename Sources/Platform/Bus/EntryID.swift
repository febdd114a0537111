/// The id of a stream's entry: `milliseconds-sequence`.
package struct EntryID: Comparable, Sendable, CustomStringConvertible {
    package var milliseconds: Int64
    package var sequence: Int64

    package init(milliseconds: Int64, sequence: Int64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    package init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let milliseconds = Int64(parts[0]), let sequence = Int64(parts[1]) else { return nil }
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    package static func < (one: EntryID, other: EntryID) -> Bool {
        (one.milliseconds, one.sequence) < (other.milliseconds, other.sequence)
    }

    package var description: String { "\(milliseconds)-\(sequence)" }
}
