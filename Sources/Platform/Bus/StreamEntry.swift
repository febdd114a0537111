import Storage

/// An entry of the message stream as it came: any bytes.
package struct StreamEntry: Sendable {
    package struct Field: Sendable, Equatable {
        package var name: [UInt8]
        package var value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    var id: String
    var fields: [Field]

    /// As it came; nil where it has none.
    var type: [UInt8]? { fields.first { $0.name.elementsEqual(Self.typeField) }?.value }

    private static let typeField = Array("type".utf8)

    /// Nil where the reply is no entry. One that was trimmed away meanwhile has no fields, and is malformed.
    init?(_ reply: RedisReply) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].string else { return nil }
        self.id = id
        let texts = (parts[1].array ?? []).map { $0.bytes ?? [] }
        fields = stride(from: 0, to: texts.count - 1, by: 2).map { Field(name: texts[$0], value: texts[$0 + 1]) }
    }
}
