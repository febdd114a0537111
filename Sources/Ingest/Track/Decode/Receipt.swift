/// What is known of a request apart from its body.
package struct Receipt: Sendable {
    /// It goes into the record of each of a request's beacons, thousands perhaps. Browsers send 100 to 300 bytes.
    static let maxUserAgentBytes = 512

    /// Milliseconds since 1970.
    package var receivedAt: Int64
    /// The client's address as text. It goes into the visitor hash and nowhere else.
    package var clientAddress: String
    /// The `User-Agent` header, at most `maxUserAgentBytes` long.
    package var userAgent: String?
    /// Sent with `Sec-GPC: 1` or `DNT: 1`.
    package var isPrivate: Bool
    /// The salt of the reporting day of `receivedAt`.
    package var salt: [UInt8]
    /// False for imports, which may be of any age.
    package var limitsAge: Bool

    package init(
        receivedAt: Int64, clientAddress: String, userAgent: String? = nil, isPrivate: Bool = false,
        salt: [UInt8], limitsAge: Bool = true
    ) {
        self.receivedAt = receivedAt
        self.clientAddress = clientAddress
        self.userAgent = userAgent.map(Self.bounded)
        self.isPrivate = isPrivate
        self.salt = salt
        self.limitsAge = limitsAge
    }

    /// The header is the browser's, not the caller's, so one that is too long is cut rather than held against it.
    private static func bounded(_ userAgent: String) -> String {
        guard userAgent.utf8.count > Self.maxUserAgentBytes else { return userAgent }
        var cut = userAgent.unicodeScalars
        var bytes = 0
        let end = cut.firstIndex { scalar in
            bytes += UTF8.width(scalar)
            return bytes > Self.maxUserAgentBytes
        }
        if let end { cut.removeSubrange(end...) }
        return String(cut)
    }
}
