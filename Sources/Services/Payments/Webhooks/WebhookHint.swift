import Platform

/// What a webhook's body may point to. Nothing where it is no JSON, or deeper than Toss's: it is from anybody.
struct WebhookHint: Equatable, Sendable {
    /// A payment of Toss's in its event is three deep.
    static let maxDepth = JSONValue.maxDepth
    static let maxTypeLength = 100
    /// Of an order's id and of a payment's key: longer ones are none of ours.
    static let maxNameBytes = 200

    var type: String?
    var order: String?
    var key: String?

    init(_ body: [UInt8]) {
        guard case .object(let event)? = JSONValue(body) else { return }
        if case .string(let text)? = event["eventType"] {
            type = Self.safe(text).map { String($0.prefix(Self.maxTypeLength)) }
        }
        var names = event
        if case .object(let data)? = event["data"] { names = data }
        if case .string(let text)? = names["orderId"] { order = Self.safe(text) }
        if case .string(let text)? = names["paymentKey"] { key = Self.safe(text) }
    }

    /// Postgres takes no NUL.
    private static func safe(_ text: String) -> String? {
        text.utf8.count <= maxNameBytes && !text.utf8.contains(0) ? text : nil
    }
}
