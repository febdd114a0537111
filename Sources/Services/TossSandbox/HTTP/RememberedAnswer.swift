/// What an Idempotency-Key's first use was answered, for fifteen days.
package struct RememberedAnswer: Codable, Sendable {
    package static let lifetimeMs: Int64 = 15 * 86_400_000
    package static let maxKeyLength = 300
    /// Then the oldest are forgotten.
    package static let maxAnswers = 200_000

    var body: [UInt8]
    var status: Int
    var answer: [UInt8]
    var firstUsedAt: Int64
}
