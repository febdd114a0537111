import Core
import Platform

/// How far an answer reaches.
package struct Freshness: Equatable, Sendable {
    /// Every beacon acknowledged before this instant is counted. Milliseconds since 1970.
    package var asOf: Int64
    /// Batches stored and not yet folded, and the receipt of the oldest.
    package var pendingBatches: Int64 = 0
    package var oldestPending: Int64?

    package init(asOf: Int64, pendingBatches: Int64 = 0, oldestPending: Int64? = nil) {
        self.asOf = asOf
        self.pendingBatches = pendingBatches
        self.oldestPending = oldestPending
    }

    func write(to json: inout JSONWriter, complete: Bool) {
        json.member("asOf", passing: Instant.iso8601(asOf))
        json.member("complete", complete)
    }

    /// The members of `freshness`, where an answer has it.
    func writeBacklog(to json: inout JSONWriter) {
        json.member("asOf", passing: Instant.iso8601(asOf))
        json.member("pendingBatches", pendingBatches)
        json.member("oldestPending", oldestPending.map(Instant.iso8601))
    }

    func note(complete: Bool) -> String {
        "as of \(Instant.iso8601(asOf))" + (complete ? "" : "; the last bucket is still filling")
    }
}
