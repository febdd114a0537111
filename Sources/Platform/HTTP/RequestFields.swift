import Core
import Foundation
import HTTPTypes
package import Hummingbird
import NIOCore

/// The members of a JSON object that a request carries, each read once with its rule.
///
/// What is malformed is 400, too large 413, another type 415; a member that is unknown, missing or breaks its rule is
/// 422 and named.
package struct RequestFields: Sendable {
    /// Larger bodies are refused.
    package static let maxBytes = 64 * 1024
    /// So many values there may be at the most in so many bytes.
    package static func maxValues(inBytes bytes: Int) -> Int { bytes / 8 }

    private let members: [String: JSONValue]
    /// Where these lie in the body: `seats[2].`
    private let path: String

    /// Reads the whole body.
    ///
    /// - Parameters:
    ///   - known: all the members that there may be.
    ///   - isOptional: whether there may be no body at all.
    package init(
        of request: Request, known: Set<String>, isOptional: Bool = false, maxBytes: Int = RequestFields.maxBytes
    ) async throws {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: maxBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(.contentTooLarge, "body_too_large", detail: "a body may have \(maxBytes) bytes")
        }
        if buffer.readableBytes == 0, isOptional {
            try self.init([:], path: "", known: known)
            return
        }
        guard Self.isJSON(request.headers[.contentType] ?? "") else {
            throw Problem(
                .unsupportedMediaType, "unsupported_media_type", detail: "the body must be application/json")
        }
        try self.init(
            Array(buffer.readableBytesView), known: known, maxValues: Self.maxValues(inBytes: maxBytes))
    }

    /// In any case, with spaces around it, and with parameters behind it.
    static func isJSON(_ contentType: String) -> Bool {
        if contentType == "application/json" { return true }
        return contentType.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased() == "application/json"
    }

    /// Of a JSON text.
    package init(
        _ json: [UInt8], known: Set<String>, maxValues: Int = RequestFields.maxValues(inBytes: RequestFields.maxBytes)
    ) throws(Problem) {
        guard case .object(let members)? = JSONValue(json, maxValues: maxValues) else {
            throw Problem(
                .badRequest, "malformed_json",
                detail: "the body must be a JSON object, at most \(JSONValue.maxDepth) deep, with no name given twice")
        }
        try self.init(members, path: "", known: known)
    }

    private init(_ members: [String: JSONValue], path: String, known: Set<String>) throws(Problem) {
        // Sorting all of them would be what a body of many unknown names costs most.
        if let name = members.keys.filter({ !known.contains($0) }).min() {
            throw .invalid(path + String(name.prefix(100)), "is not known here", allowed: known.sorted())
        }
        self.members = members
        self.path = path
    }

    // MARK: Members

    /// Whether it is there, and not null.
    package func has(_ name: String) -> Bool { value(name) != nil }

    private func value(_ name: String) -> JSONValue? {
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    private func required<Value>(_ name: String, _ value: Value?) throws(Problem) -> Value {
        guard let value else { throw invalid(name, "is missing") }
        return value
    }

    /// 422 for this member.
    package func invalid(_ name: String, _ detail: String, allowed: [String] = []) -> Problem {
        .invalid(path + name, detail, allowed: allowed)
    }

    /// Text without control characters but line breaks and tabs, if those are allowed.
    ///
    /// - Parameter bytes: how long it may be, in UTF-8.
    package func optionalText(
        _ name: String, bytes: ClosedRange<Int>, isMultiline: Bool = false
    ) throws(Problem) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw invalid(name, "must be a string") }
        try check(text, name, bytes, isMultiline: isMultiline)
        return text
    }

    package func text(_ name: String, bytes: ClosedRange<Int>, isMultiline: Bool = false) throws(Problem) -> String {
        try required(name, optionalText(name, bytes: bytes, isMultiline: isMultiline))
    }

    private func check(
        _ text: String, _ name: String, _ bytes: ClosedRange<Int>, isMultiline: Bool = false
    ) throws(Problem) {
        guard bytes.contains(text.utf8.count) else {
            throw invalid(name, "must have \(bytes.lowerBound) to \(bytes.upperBound) bytes of UTF-8")
        }
        guard
            text.unicodeScalars.allSatisfy({ scalar in
                let isBreak = scalar == "\n" || scalar == "\r" || scalar == "\t"
                return isBreak ? isMultiline : scalar.properties.generalCategory != .control
            })
        else { throw invalid(name, "must have no control characters") }
    }

    package func optionalInteger(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let value = value(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw invalid(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64 {
        try required(name, optionalInteger(name, in: range))
    }

    package func optionalFlag(_ name: String) throws(Problem) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else { throw invalid(name, "must be true or false") }
        return flag
    }

    /// Milliseconds since 1970 of an ISO 8601 date-time with offset.
    package func optionalInstant(_ name: String) throws(Problem) -> Int64? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value, let instant = Instant.parse(text) else {
            throw invalid(name, "must be an ISO 8601 date-time with an offset, such as 2026-01-31T19:00:00+09:00")
        }
        return instant
    }

    package func instant(_ name: String) throws(Problem) -> Int64 {
        try required(name, optionalInstant(name))
    }

    /// One of the names of a closed set.
    package func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(Problem) -> Choice? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
            let allowed = Choice.allCases.map(\.rawValue)
            throw invalid(name, "must be one of \(allowed.joined(separator: ", "))", allowed: allowed)
        }
        return choice
    }

    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(Problem) -> Choice {
        try required(name, optionalChoice(name))
    }

    package func optionalTexts(
        _ name: String, count: ClosedRange<Int>, bytes: ClosedRange<Int>
    ) throws(Problem) -> [String]? {
        guard let values = try array(name, count: count) else { return nil }
        var texts: [String] = []
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value else { throw invalid("\(name)[\(index)]", "must be a string") }
            try check(text, "\(name)[\(index)]", bytes)
            texts.append(text)
        }
        return texts
    }

    package func texts(
        _ name: String, count: ClosedRange<Int>, bytes: ClosedRange<Int>
    ) throws(Problem) -> [String] {
        try required(name, optionalTexts(name, count: count, bytes: bytes))
    }

    /// - Parameter known: all the members that each object may have.
    package func optionalObjects(
        _ name: String, count: ClosedRange<Int>, known: Set<String>
    ) throws(Problem) -> [RequestFields]? {
        guard let values = try array(name, count: count) else { return nil }
        var objects: [RequestFields] = []
        for (index, value) in values.enumerated() {
            guard case .object(let members) = value else { throw invalid("\(name)[\(index)]", "must be an object") }
            objects.append(try RequestFields(members, path: "\(path)\(name)[\(index)].", known: known))
        }
        return objects
    }

    package func objects(
        _ name: String, count: ClosedRange<Int>, known: Set<String>
    ) throws(Problem) -> [RequestFields] {
        try required(name, optionalObjects(name, count: count, known: known))
    }

    private func array(_ name: String, count: ClosedRange<Int>) throws(Problem) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard case .array(let values) = value, count.contains(values.count) else {
            throw invalid(name, "must be an array of \(count.lowerBound) to \(count.upperBound)")
        }
        return values
    }
}
