import Platform

/// Of an IPv6 address, `rateKey` is the /64 that one device has: whoever is connected at all has some of those.
extension ClientAddress {
    /// What providers give one connection: an IPv4 address, or the /56 of an IPv6 one.
    var customer: ArraySlice<UInt8> { isIPv4 ? bytes[...] : bytes.prefix(7) }

    /// What the largest customer of a provider, or a guesser of some means, has all of: the /24 of an IPv4 address, the
    /// /48 of an IPv6 one.
    var network: ArraySlice<UInt8> { isIPv4 ? bytes.prefix(15) : bytes.prefix(6) }
}
