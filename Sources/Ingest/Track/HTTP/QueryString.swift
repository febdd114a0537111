/// A URI's query: names and values with `%` escapes resolved and `+` as a space.
struct QueryString {
    struct Malformed: Error {}

    private(set) var parameters: [(name: String, value: [UInt8])] = []

    init(uri: String) throws(Malformed) {
        let uri = uri.utf8
        guard let mark = uri.firstIndex(of: UInt8(ascii: "?")) else { return }
        let query = uri[uri.index(after: mark)...].prefix { $0 != UInt8(ascii: "#") }
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0])
            guard let text = String(validating: name, as: UTF8.self) else { throw Malformed() }
            parameters.append((text, parts.count > 1 ? try Self.decoded(parts[1]) : []))
        }
    }

    /// The last value of that name, as text.
    subscript(name: String) -> String? {
        parameters.last { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    private static func decoded(_ text: some Collection<UInt8>) throws(Malformed) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"): output.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    throw Malformed()
                }
                output.append(high << 4 | low)
            default: output.append(byte)
            }
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 0x41 + 10
        default: nil
        }
    }
}
