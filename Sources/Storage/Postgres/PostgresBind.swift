/// One parameter in binary form.
package struct PostgresBind: Sendable, Equatable {
    package let type: PostgresType
    /// Nil for NULL.
    package let bytes: [UInt8]?

    package init<Value: PostgresEncodable>(_ value: Value) {
        type = Value.postgresType
        var bytes: [UInt8] = []
        self.bytes = value.encode(into: &bytes) ? bytes : nil
    }
}
