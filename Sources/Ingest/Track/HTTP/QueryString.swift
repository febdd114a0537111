import Core

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
        guard let bytes = PercentEncoding.bytes(text, plusIsSpace: true) else { throw Malformed() }
        return bytes
    }
}
