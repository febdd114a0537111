package import Platform

extension JSONWriter {
    /// A number with one decimal.
    package mutating func tenths(_ value: Int64?) {
        raw(value.map(NumberText.tenths) ?? "null")
    }

    package mutating func member(_ name: String, tenths value: Int64?) {
        member(name, raw: value.map(NumberText.tenths) ?? "null")
    }
}
