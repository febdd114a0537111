package import Core
import Foundation
package import Storage

/// Who reads the stream: each group is given every message.
package enum MessageGroup: String, CaseIterable, Sendable {
    case analytics, events, reservations, payments
}

/// Messages on the Redis stream that all services share (`Message.stream`).
package enum MessageStream {
    /// The entry's fields, by which `MessageDecoder` reads it back.
    package static func fields(of message: Message) throws -> [(name: String, value: String)] {
        [
            ("id", message.id), ("type", message.kind.rawValue), ("occurredAt", Instant.iso8601(message.occurredAt)),
            ("data", try data(of: message)),
        ]
    }

    /// The body as a JSON object.
    static func data(of message: Message) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch message.body {
            case .paymentCompleted(let body): try encoder.encode(body)
            case .paymentRefunded(let body): try encoder.encode(body)
            case .paymentFailed(let body): try encoder.encode(body)
            case .reservationHeld(let body), .reservationConfirmed(let body), .reservationExpired(let body),
                .reservationCanceled(let body):
                try encoder.encode(body)
            case .refundDue(let body): try encoder.encode(body)
            case .artistUpserted(let body): try encoder.encode(body)
            case .eventUpserted(let body): try encoder.encode(body)
            case .eventAvailability(let body): try encoder.encode(body)
            case .userRegistered(let body): try encoder.encode(body)
            case .userLoggedIn(let body): try encoder.encode(body)
            }
        return String(decoding: data, as: UTF8.self)
    }

    /// Adds the messages in order. Where it throws, some may have been added: publishing them again is safe, since
    /// each counts once by its id.
    package static func publish(_ messages: [Message], on connection: RedisConnection) throws {
        _ = try publish(try messages.map(fields), on: connection)
    }

    /// The same, of entries' fields.
    static func publish(
        _ entries: [[(name: String, value: String)]], on connection: RedisConnection
    ) throws -> [EntryID] {
        guard !entries.isEmpty else { return [] }
        let commands = entries.map { fields in
            fields.reduce(into: ["XADD", RedisArgument(Message.stream), "*"] as [RedisArgument]) {
                $0 += [RedisArgument($1.name), RedisArgument($1.value)]
            }
        }
        return try connection.pipeline(commands).map { reply in
            guard let id = reply.string.flatMap({ EntryID($0) }) else {
                if case .error(let text) = reply { throw RedisError(.unavailable, text, command: "XADD") }
                throw RedisError(.unavailable, "an answer of another shape", command: "XADD")
            }
            return id
        }
    }
}
