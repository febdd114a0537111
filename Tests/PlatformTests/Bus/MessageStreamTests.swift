import Core
import Storage
import TestSupport
import Testing

@testable import Platform

@Suite(.timeLimit(.minutes(5))) struct MessageStreamTests {
    static let messages: [Message] = [
        .paymentCompleted(
            PaymentCompleted(
                paymentId: "p", eventId: "e", artistId: #"a"\/한"#, amount: 110_000, currency: "KRW", tickets: 2)),
        .paymentRefunded(
            PaymentRefunded(
                refundId: "r", paymentId: "p", eventId: "e", artistId: "a", amount: 110_000, currency: "KRW", tickets: 2
            )),
        .reservationConfirmed(ReservationChanged(reservationId: "r", eventId: "e", artistId: "a")),
        .reservationCanceled(ReservationChanged(reservationId: "r", eventId: "e", artistId: "a")),
        .reservationHeld(ReservationChanged(reservationId: "r", eventId: "e", artistId: "a", visitorId: "v")),
        .reservationExpired(ReservationChanged(reservationId: "r", eventId: "e", artistId: "a")),
        .refundDue(
            RefundDue(
                cancellationId: "c", reservationId: "r", paymentId: "p", amount: 99_000, currency: "KRW", tickets: 1,
                reason: "canceled by the buyer")),
        .paymentFailed(PaymentFailed(paymentId: "p", reservationId: "r", code: "REJECT_CARD_COMPANY")),
        .artistUpserted(ArtistUpserted(artistId: "a", name: "이름 \u{1f3b5}")),
        .eventUpserted(EventUpserted(eventId: "e", title: "t", artistId: "a", startsAt: "2026-01-01T20:00:00+09:00")),
        .eventUpserted(EventUpserted(eventId: "e", title: "t", artistId: nil, startsAt: nil)),
        .eventAvailability(EventAvailability(eventId: "e", soldOut: true)),
        .userRegistered(UserRegistered(userId: "u")), .userLoggedIn(UserLoggedIn(userId: "u")),
    ].enumerated().map { Message(id: "m\($0)", occurredAt: 1_765_000_000_123 + Int64($0), body: $1) }

    @Test func whatIsPublishedIsWhatIsRead() async throws {
        #expect(Set(Self.messages.map(\.kind)).count == Message.Kind.allCases.count)
        try await withRedis { redis in
            let entries = try await redis.pool.withConnection { connection in
                try MessageStream.publish(Self.messages, on: connection)
                return try connection.command(["XRANGE", RedisArgument(Message.stream), "-", "+"])
            }
            let read = try (entries.array ?? []).map { entry in
                let values = (entry.array?[1].array ?? []).compactMap(\.string)
                var fields: [String: String] = [:]
                for index in stride(from: 0, to: values.count - 1, by: 2) { fields[values[index]] = values[index + 1] }
                return try MessageDecoder.decode(fields)
            }
            #expect(read == Self.messages)
        }
    }
}
