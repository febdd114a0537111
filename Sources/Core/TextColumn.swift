/// A column of optional UTF-8 texts: a dictionary of distinct values and one code a row.
///
/// Code 0 is null; code `n` is value `n - 1`. Values lie end to end in `bytes`; value `n` ends at `ends[n]`.
package struct TextColumn: Sendable, Equatable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var ends: [UInt32] = []
    package private(set) var codes: [UInt32] = []

    package init() {}

    /// A column from its parts.
    ///
    /// - Precondition: `ends` ascends within `bytes`, and no code is above `ends.count`.
    package init(bytes: [UInt8], ends: [UInt32], codes: [UInt32]) {
        self.bytes = bytes
        self.ends = ends
        self.codes = codes
    }

    package var rowCount: Int { codes.count }
    package var valueCount: Int { ends.count }

    /// Where value `index` (code minus one) lies in `bytes`.
    package func range(ofValue index: Int) -> Range<Int> {
        (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])
    }

    package func value(_ index: Int) -> ArraySlice<UInt8> {
        bytes[range(ofValue: index)]
    }

    package func string(ofValue index: Int) -> String {
        String(decoding: value(index), as: UTF8.self)
    }

    /// The row's text, or nil where it is null. For display: allocates.
    package subscript(row: Int) -> String? {
        let code = codes[row]
        return code == 0 ? nil : string(ofValue: Int(code) - 1)
    }

    /// Adds a distinct value and returns its code.
    package mutating func appendValue(_ value: UnsafeRawBufferPointer) -> UInt32 {
        bytes.append(contentsOf: value)
        ends.append(UInt32(bytes.count))
        return UInt32(ends.count)
    }

    package mutating func appendRow(code: UInt32) {
        codes.append(code)
    }
}
