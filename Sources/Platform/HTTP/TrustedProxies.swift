/// The proxies whose `X-Forwarded-For` is believed.
package struct TrustedProxies: Sendable, Equatable {
    package struct Malformed: Error, Equatable {
        package let entry: String
    }

    /// A chain longer than this is not followed further.
    package static let maxHops = 32

    private struct Network: Sendable, Equatable {
        var bytes: [UInt8]
        var prefix: Int

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == 16 else { return false }
            let whole = prefix / 8
            guard bytes[..<whole].elementsEqual(address[..<whole]) else { return false }
            let rest = prefix % 8
            return rest == 0 || (bytes[whole] ^ address[whole]) >> UInt8(8 - rest) == 0
        }
    }

    private var networks: [Network] = []
    private var trustsUnixSockets = false

    package static let none = TrustedProxies()

    private init() {}

    /// Addresses and CIDR blocks separated by commas; `unix` stands for whoever comes through a Unix socket.
    package init(_ list: String) throws(Malformed) {
        for part in list.split(separator: ",") {
            let entry = part.filter { $0 != " " }
            if entry.isEmpty { continue }
            if entry == "unix" {
                trustsUnixSockets = true
                continue
            }
            let halves = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = ClientAddress(halves[0]) else { throw Malformed(entry: entry) }
            let bits = address.isIPv4 ? 32 : 128
            var prefix = bits
            if halves.count == 2 {
                guard let given = Int(halves[1]), (0...bits).contains(given) else { throw Malformed(entry: entry) }
                prefix = given
            }
            networks.append(Network(bytes: address.bytes, prefix: prefix + 128 - bits))
        }
    }

    package var isEmpty: Bool { networks.isEmpty && !trustsUnixSockets }

    private func trusts(_ address: ClientAddress) -> Bool {
        address.bytes.isEmpty ? trustsUnixSockets : networks.contains { $0.contains(address.bytes) }
    }

    /// The right-most hop that is not a trusted proxy: what is left of it, anyone could have written.
    package func client(peer: ClientAddress, forwardedFor: [String]) -> ClientAddress {
        var client = peer
        var hops = forwardedFor.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)[...]
        for _ in 0..<Self.maxHops {
            guard trusts(client), let hop = hops.popLast(), let next = ClientAddress(hop) else { return client }
            client = next
        }
        return client
    }
}
