package import NIOCore

/// Who sends: an address as text for the visitor hash, and as bytes to compare and count by.
package struct ClientAddress: Sendable, Equatable {
    /// The canonical text, an IPv4-mapped address as IPv4. Empty for a Unix socket.
    package let text: String
    /// 16 bytes, IPv4 mapped into IPv6. Empty for a Unix socket.
    package let bytes: [UInt8]

    package static let unixSocket = ClientAddress(text: "", bytes: [])
    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

    private init(text: String, bytes: [UInt8]) {
        self.text = text
        self.bytes = bytes
    }

    package init(_ socketAddress: SocketAddress?) {
        switch socketAddress {
        case .v4(let address):
            // sockaddr_in: family, port, then four bytes in network order.
            self.init(withUnsafeBytes(of: address.address) { Self.mappedPrefix + $0[4..<8] })
        case .v6(let address):
            // sockaddr_in6: family, port, flow information, then sixteen bytes in network order.
            self.init(withUnsafeBytes(of: address.address) { Array($0[8..<24]) })
        case .unixDomainSocket, nil: self = .unixSocket
        }
    }

    /// An address as proxies write it: with or without a port, IPv6 bare or in brackets.
    package init?(_ text: some StringProtocol) {
        var host = text.drop { $0 == " " || $0 == "\t" }
        while host.last == " " || host.last == "\t" { host.removeLast() }
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else { return nil }
            host = host[host.index(after: host.startIndex)..<close]
        } else if let colon = host.firstIndex(of: ":"), colon == host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        guard let address = try? SocketAddress(ipAddress: String(host), port: 0) else { return nil }
        self.init(address)
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: Self.mappedPrefix) {
            text = bytes[12...].map(String.init).joined(separator: ".")
        } else {
            text = Self.text(v6: bytes)
        }
    }

    /// RFC 5952: lower case, the longest run of two or more zero groups as `::`.
    private static func text(v6 bytes: [UInt8]) -> String {
        let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, longest.count) { longest = start..<end }
            start = max(end, start + 1)
        }
        func join(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return join(groups[...]) }
        return join(groups[..<longest.lowerBound]) + "::" + join(groups[longest.upperBound...])
    }

    package var isIPv4: Bool { bytes.starts(with: Self.mappedPrefix) }

    /// What a rate is counted by: an IPv4 address, or the /64 that one IPv6 customer holds.
    package var rateKey: ArraySlice<UInt8> {
        isIPv4 ? bytes[...] : bytes.prefix(8)
    }
}
