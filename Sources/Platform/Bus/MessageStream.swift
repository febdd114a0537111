package import Core
import Foundation
package import Storage

/// Messages on the Redis stream that all services share (`Message.stream`).
package enum MessageStream {
    /// The entry's fields, by which `MessageDecoder` reads it back.
    package static func fields(of message: Message) throws -> [(name: String, value: String)] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch message.body {
            case .paymentCompleted(let body): try encoder.encode(body)
            case .paymentRefunded(let body): try encoder.encode(body)
            case .reservationConfirmed(let body), .reservationCanceled(let body): try encoder.encode(body)
            case .artistUpserted(let body): try encoder.encode(body)
            case .eventUpserted(let body): try encoder.encode(body)
            case .userRegistered(let body): try encoder.encode(body)
            }
        return [
            ("id", message.id), ("type", message.kind.rawValue), ("occurredAt", Instant.iso8601(message.occurredAt)),
            ("data", String(decoding: data, as: UTF8.self)),
        ]
    }

    /// Adds the messages in order. Where it throws, some may have been added: publishing them again is safe, since
    /// each counts once by its id.
    package static func publish(_ messages: [Message], on connection: RedisConnection) throws {
        let commands = try messages.map { message in
            try fields(of: message).reduce(into: ["XADD", RedisArgument(Message.stream), "*"] as [RedisArgument]) {
                $0 += [RedisArgument($1.name), RedisArgument($1.value)]
            }
        }
        for reply in try connection.pipeline(commands) {
            if case .error(let text) = reply { throw RedisError(.unavailable, text, command: "XADD") }
        }
    }
}
