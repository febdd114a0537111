package import Core

/// A value that a result's column can be read as, from the server's binary format.
package protocol PostgresDecodable {
    /// - Parameter bytes: Nil for NULL.
    static func decode(_ bytes: UnsafeRawBufferPointer?, type: PostgresType) throws(PostgresDecodingError) -> Self
}

package enum PostgresDecodingError: Error, Equatable, Sendable {
    case null
    /// The column's type can't be read as the wanted one.
    case type(PostgresType)
    /// The bytes are not what the type says.
    case malformed
}

/// A value of which an array can be read.
package protocol PostgresArrayDecodable {
    static func decodeArray(
        _ bytes: UnsafeRawBufferPointer, type: PostgresType
    ) throws(PostgresDecodingError) -> [Self]
}

extension PostgresArrayDecodable where Self: PostgresDecodable {
    package static func decodeArray(
        _ bytes: UnsafeRawBufferPointer, type: PostgresType
    ) throws(PostgresDecodingError) -> [Self] {
        var reader = unsafe PostgresFieldReader(bytes)
        let dimensions = try reader.integer(Int32.self)
        _ = try reader.integer(Int32.self)
        let elementType = PostgresType(rawValue: try reader.integer(UInt32.self))
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw .type(type) }
        let count = try Int(reader.integer(Int32.self))
        _ = try reader.integer(Int32.self)
        // Every element has a length at least: more than fit are a lie.
        guard count >= 0, count <= bytes.count / 4 else { throw .malformed }
        var elements: [Self] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            elements.append(try unsafe Self.decode(reader.field(), type: elementType))
        }
        return elements
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Self {
        try unsafe Element.decodeArray(present(bytes), type: type)
    }
}

extension UInt8: PostgresArrayDecodable {
    package static func decodeArray(
        _ bytes: UnsafeRawBufferPointer, type: PostgresType
    ) throws(PostgresDecodingError) -> [UInt8] {
        guard type == .bytea || type.isUserDefined else { throw .type(type) }
        return unsafe Array(bytes)
    }
}

extension Array: PostgresArrayDecodable where Element == UInt8 {}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Self {
        guard let bytes = unsafe bytes else { return nil }
        return try unsafe Wrapped.decode(bytes, type: type)
    }
}

extension Optional: PostgresArrayDecodable where Wrapped: PostgresArrayDecodable & PostgresDecodable {}

extension Bool: PostgresDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Bool {
        let bytes = try unsafe present(bytes)
        guard type == .bool else { throw .type(type) }
        guard bytes.count == 1 else { throw .malformed }
        return unsafe bytes[0] != 0
    }
}

extension FixedWidthInteger where Self: PostgresDecodable {
    /// Every integer column can be read as any integer type that holds all its values.
    fileprivate static func decodeInteger(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Self {
        let bytes = try unsafe present(bytes)
        switch (type, bitWidth) {
        case (.int2, 16...): return try unsafe Self(loadBigEndian(bytes, as: Int16.self))
        case (.int4, 32...): return try unsafe Self(loadBigEndian(bytes, as: Int32.self))
        case (.int8, 64): return try unsafe Self(loadBigEndian(bytes, as: Int64.self))
        case (.oid, 64): return try unsafe Self(loadBigEndian(bytes, as: UInt32.self))
        default: throw .type(type)
        }
    }
}

extension Int16: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Int16 {
        try unsafe decodeInteger(bytes, type: type)
    }
}

extension Int32: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Int32 {
        try unsafe decodeInteger(bytes, type: type)
    }
}

extension Int64: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Int64 {
        try unsafe decodeInteger(bytes, type: type)
    }
}

extension Int: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Int {
        try unsafe decodeInteger(bytes, type: type)
    }
}

extension Double: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Double {
        let bytes = try unsafe present(bytes)
        switch type {
        case .float8: return Double(bitPattern: try unsafe loadBigEndian(bytes, as: UInt64.self))
        case .float4: return Double(Float(bitPattern: try unsafe loadBigEndian(bytes, as: UInt32.self)))
        default: throw .type(type)
        }
    }
}

extension String: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> String {
        let bytes = try unsafe present(bytes)
        switch type {
        case .text, .varchar, .name, .bpchar, .json, .char, .unknown:
            return unsafe String(decoding: bytes, as: UTF8.self)
        case .jsonb:
            // One byte of version goes before the text.
            guard unsafe bytes.first == 1 else { throw .malformed }
            return unsafe String(decoding: bytes.dropFirst(), as: UTF8.self)
        case _ where type.isUserDefined:
            return unsafe String(decoding: bytes, as: UTF8.self)
        default:
            throw .type(type)
        }
    }
}

extension PostgresTimestamp: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> PostgresTimestamp {
        let bytes = try unsafe present(bytes)
        guard type == .timestamptz else { throw .type(type) }
        return PostgresTimestamp(wireValue: try unsafe loadBigEndian(bytes, as: Int64.self))
    }
}

extension Day: PostgresDecodable, PostgresArrayDecodable {
    package static func decode(
        _ bytes: UnsafeRawBufferPointer?, type: PostgresType
    ) throws(PostgresDecodingError) -> Day {
        let bytes = try unsafe present(bytes)
        guard type == .date else { throw .type(type) }
        let days = try unsafe loadBigEndian(bytes, as: Int32.self)
        // The two infinities are no days.
        guard days != .max, days != .min else { throw .malformed }
        return Day(daysSince1970: Int(days) + postgresEpoch)
    }
}

private func present(_ bytes: UnsafeRawBufferPointer?) throws(PostgresDecodingError) -> UnsafeRawBufferPointer {
    guard let bytes = unsafe bytes else { throw .null }
    return unsafe bytes
}

private func loadBigEndian<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, as: Value.Type
) throws(PostgresDecodingError) -> Value {
    guard bytes.count == MemoryLayout<Value>.size else { throw .malformed }
    return unsafe Value(bigEndian: bytes.loadUnaligned(as: Value.self))
}

/// Walks the integers and length-prefixed fields of one array.
@safe private struct PostgresFieldReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type) throws(PostgresDecodingError) -> Value {
        let size = MemoryLayout<Value>.size
        guard unsafe position + size <= bytes.count else { throw .malformed }
        defer { position += size }
        return unsafe Value(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    /// Nil for NULL.
    mutating func field() throws(PostgresDecodingError) -> UnsafeRawBufferPointer? {
        let length = try Int(integer(Int32.self))
        if length == -1 { return nil }
        guard length >= 0, unsafe position + length <= bytes.count else { throw .malformed }
        defer { position += length }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
    }
}
