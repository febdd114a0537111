package import Core

/// A value that can be a statement's parameter, in the server's binary format.
package protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }

    /// Appends the value; false for NULL.
    func encode(into bytes: inout [UInt8]) -> Bool
}

/// A value of which an array can be a parameter.
package protocol PostgresArrayEncodable: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encode(_ elements: some Collection<Self>, into bytes: inout [UInt8])
}

extension PostgresArrayEncodable where Self: PostgresEncodable {
    package static func encode(_ elements: some Collection<Self>, into bytes: inout [UInt8]) {
        // Dimensions, whether there are nulls, element type; then the dimension's length and lower bound.
        bytes.appendBigEndian(Int32(elements.isEmpty ? 0 : 1))
        let nullsAt = bytes.count
        bytes.appendBigEndian(Int32(0))
        bytes.appendBigEndian(postgresType.rawValue)
        guard !elements.isEmpty else { return }
        bytes.appendBigEndian(Int32(elements.count))
        bytes.appendBigEndian(Int32(1))
        bytes.reserveCapacity(bytes.count + elements.count * 12)
        for element in elements where !bytes.appendField(element) {
            bytes[nullsAt + 3] = 1
        }
    }
}

extension Array: PostgresEncodable where Element: PostgresArrayEncodable {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        Element.encode(self, into: &bytes)
        return true
    }
}

extension ArraySlice: PostgresEncodable where Element: PostgresArrayEncodable {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        Element.encode(self, into: &bytes)
        return true
    }
}

/// `[UInt8]` is not an array to the server but a `bytea`.
extension UInt8: PostgresArrayEncodable {
    package static var postgresArrayType: PostgresType { .bytea }
    package static func encode(_ elements: some Collection<UInt8>, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: elements)
    }
}

extension Array: PostgresArrayEncodable where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        self?.encode(into: &bytes) ?? false
    }
}

extension Optional: PostgresArrayEncodable where Wrapped: PostgresArrayEncodable & PostgresEncodable {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

extension Bool: PostgresEncodable {
    package static var postgresType: PostgresType { .bool }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(self ? 1 : 0)
        return true
    }
}

extension Int16: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .int2Array }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(self)
        return true
    }
}

extension Int32: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .int4 }
    package static var postgresArrayType: PostgresType { .int4Array }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(self)
        return true
    }
}

extension Int64: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(self)
        return true
    }
}

extension Int: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(Int64(self))
        return true
    }
}

extension Double: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .float8 }
    package static var postgresArrayType: PostgresType { .float8Array }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(bitPattern)
        return true
    }
}

extension String: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .text }
    package static var postgresArrayType: PostgresType { .textArray }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: utf8)
        return true
    }
}

extension PostgresTimestamp: PostgresEncodable, PostgresArrayEncodable {
    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(wireValue)
        return true
    }
}

extension Day: PostgresEncodable, PostgresArrayEncodable {
    /// 2000-01-01, from which the server counts.
    static let postgresEpoch = 10_957

    package static var postgresType: PostgresType { .date }
    package static var postgresArrayType: PostgresType { .dateArray }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(Int32(clamping: daysSince1970 - Self.postgresEpoch))
        return true
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Length and value, as in arrays and COPY: -1 alone for NULL. False for NULL.
    mutating func appendField(_ value: some PostgresEncodable) -> Bool {
        let lengthAt = count
        appendBigEndian(Int32(-1))
        guard value.encode(into: &self) else { return false }
        let length = UInt32(count - lengthAt - 4)
        for byte in 0..<4 { self[lengthAt + byte] = UInt8(truncatingIfNeeded: length >> UInt32(24 - byte * 8)) }
        return true
    }
}
