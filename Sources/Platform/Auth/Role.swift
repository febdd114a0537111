/// What the bearer of a token may do.
package enum Role: String, CaseIterable, Codable, Sendable {
    case admin, analyst, user
    /// Another service of ours, by a key of its own.
    case service
}
