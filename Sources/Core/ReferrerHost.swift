/// The host of a referring page's address.
package enum ReferrerHost {
    /// Lower case, without user, port and final dot; nil where the text is no address.
    package static func host(of referrer: some StringProtocol) -> String? {
        var rest = Substring(referrer)
        if let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...]
        } else if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
        } else if !rest.prefix(while: { $0 != "/" }).contains(".") {
            return nil
        }
        var authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let user = authority.lastIndex(of: "@") { authority = authority[authority.index(after: user)...] }
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            authority = authority[...end]
        } else if let port = authority.firstIndex(of: ":") {
            authority = authority[..<port]
        }
        if authority.hasSuffix(".") { authority = authority.dropLast() }
        guard !authority.isEmpty, !authority.contains(where: { $0.isWhitespace }) else { return nil }
        return authority.lowercased()
    }
}
