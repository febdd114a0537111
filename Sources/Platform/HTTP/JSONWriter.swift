import Core

/// Writes JSON member by member, in the order of the calls, without blanks.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false
    /// What is left out of `validator`, ascending.
    private var passing: [Range<Int>] = []

    package init() {}

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// A number for what was written, but for what was written as passing.
    package var validator: UInt64 {
        var lasting: [UInt8] = []
        lasting.reserveCapacity(bytes.count)
        var end = 0
        for range in passing {
            lasting += bytes[end..<range.lowerBound]
            end = range.upperBound
        }
        lasting += bytes[end...]
        return lasting.withUnsafeBytes { Murmur3.hash64($0) }
    }

    // MARK: Values

    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        members(&self)
        close(UInt8(ascii: "}"))
    }

    package mutating func array<Element>(
        _ elements: some Sequence<Element>, _ element: (inout JSONWriter, Element) -> Void
    ) {
        open(UInt8(ascii: "["))
        for value in elements { element(&self, value) }
        close(UInt8(ascii: "]"))
    }

    package mutating func value(_ value: Int64?) {
        raw(value.map(String.init) ?? "null")
    }

    package mutating func value(_ value: Bool) {
        raw(value ? "true" : "false")
    }

    package mutating func value(_ value: String?) {
        guard let value else { return raw("null") }
        separate()
        quote(value)
        needsComma = true
    }

    /// A value that is JSON already.
    package mutating func raw(_ json: String) {
        separate()
        bytes += json.utf8
        needsComma = true
    }

    // MARK: Members

    package mutating func member(_ name: String, _ value: Int64?) {
        key(name)
        self.value(value)
    }

    package mutating func member(_ name: String, _ value: String?) {
        key(name)
        self.value(value)
    }

    /// One that changes from moment to moment without anything having happened.
    package mutating func member(_ name: String, passing value: String) {
        let start = bytes.count
        member(name, value)
        passing.append(start..<bytes.count)
    }

    package mutating func member(_ name: String, _ value: Bool) {
        key(name)
        self.value(value)
    }

    package mutating func member(_ name: String, raw json: String) {
        key(name)
        raw(json)
    }

    package mutating func member(_ name: String, object members: (inout JSONWriter) -> Void) {
        key(name)
        object(members)
    }

    package mutating func member<Element>(
        _ name: String, array elements: some Sequence<Element>, _ element: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        array(elements, element)
    }

    // MARK: Bytes

    private mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0a: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x0d: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20:
                bytes += "\\u00".utf8
                Hexadecimal.append(byte, to: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
