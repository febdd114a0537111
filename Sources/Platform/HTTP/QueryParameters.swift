package import Core

/// Named values, as they came from a URL's query or a command line.
package struct QueryParameters: Sendable {
    /// Longer query strings are refused before they are decoded.
    package static let maxQueryBytes = 8 * 1024
    /// As for beacons: a longer id can't have been stored.
    package static let maxIdentifierBytes = 128

    private var values: [String: String] = [:]

    /// - Throws: where a name is not one of `known`, or given twice.
    package init(_ pairs: [(name: String, value: String)], known: [String]) throws(InvalidParameter) {
        for (name, value) in pairs {
            guard known.contains(name) else {
                throw InvalidParameter(
                    field: name,
                    detail: known.isEmpty
                        ? "\(name) is not known here: no parameters are taken"
                        : "\(name) is not known here; allowed: \(known.joined(separator: ", "))",
                    allowed: known)
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw InvalidParameter(field: name, detail: "\(name) is given twice")
            }
        }
    }

    /// From a URL's query, `application/x-www-form-urlencoded`. A name without a value, or with an empty one, is absent.
    package init(query: String?, known: [String]) throws(InvalidParameter) {
        var pairs: [(name: String, value: String)] = []
        let query = query ?? ""
        guard query.utf8.count <= Self.maxQueryBytes else {
            throw InvalidParameter(
                field: "query", detail: "the query string is longer than \(Self.maxQueryBytes) bytes")
        }
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true) else {
                throw InvalidParameter(field: "query", detail: "a parameter's name is not percent-encoded UTF-8")
            }
            guard
                let value = PercentEncoding.decode(
                    parts.count > 1 ? parts[1] : parts[0][..<parts[0].startIndex], plusIsSpace: true)
            else {
                throw InvalidParameter(field: name, detail: "\(name) is not percent-encoded UTF-8")
            }
            pairs.append((name, value))
        }
        try self.init(pairs, known: known)
    }

    package subscript(name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    package func day(_ name: String) throws(InvalidParameter) -> Day? {
        guard let text = self[name] else { return nil }
        guard let day = Day(text) else {
            throw InvalidParameter(field: name, detail: "\(name) must be a day such as 2025-12-01")
        }
        return day
    }

    package func choice<Choice: RawRepresentable & Equatable>(
        _ name: String, of choices: [Choice], default standard: Choice
    ) throws(InvalidParameter) -> Choice where Choice.RawValue == String {
        guard let text = self[name] else { return standard }
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            throw InvalidParameter(
                field: name,
                detail: "\(name) must be one of \(choices.map(\.rawValue).joined(separator: ", "))",
                allowed: choices.map(\.rawValue))
        }
        return choice
    }

    package func integer(
        _ name: String, in range: ClosedRange<Int>, default standard: Int
    ) throws(InvalidParameter) -> Int {
        guard let text = self[name] else { return standard }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text), range.contains(value) else {
            throw InvalidParameter(
                field: name,
                detail: "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// An artist's or event's id.
    package func identifier(_ name: String) throws(InvalidParameter) -> String? {
        guard let text = self[name] else { return nil }
        return try Self.checkedIdentifier(text, name)
    }

    package static func checkedIdentifier(_ text: String, _ name: String) throws(InvalidParameter) -> String {
        let bytes = text.utf8
        guard (1...maxIdentifierBytes).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw InvalidParameter(
                field: name, detail: "\(name) must be 1 to \(maxIdentifierBytes) bytes without control characters")
        }
        return text
    }

    /// Three capital letters (ISO 4217).
    package func currency(_ name: String = "currency") throws(InvalidParameter) -> String {
        guard let text = self[name] else { return "KRW" }
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw InvalidParameter(field: name, detail: "\(name) must be three capital letters such as KRW")
        }
        return text
    }
}
