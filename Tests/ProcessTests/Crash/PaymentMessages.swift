import Core
import Foundation
import Platform
import Storage

/// Payments put on the message stream, as a service's outbox does: again where nobody confirmed them.
final class PaymentMessages: Sendable {
    private static let interval = Duration.milliseconds(25)

    private let redis: RedisPool
    private let seed: UInt64
    let count: Int

    init(_ redis: RedisPool, seed: UInt64, count: Int) {
        self.redis = redis
        self.seed = seed
        self.count = count
    }

    func amount(_ number: Int) -> Int64 { 10_000 + Int64((seed ^ UInt64(number) &* 0x9e37_79b9) % 90_000) }

    var total: Int64 { (0..<count).reduce(0) { $0 + amount($1) } }

    /// Publishes each once, whether Redis takes it or not.
    func publish(occurredAt: Int64, paced: Bool) async {
        for number in 0..<count {
            if Task.isCancelled { return }
            let data =
                #"{"paymentId":"p-\#(number)","eventId":"event-\#(number % 7)","artistId":"artist-\#(number % 7)","#
                + #""amount":\#(amount(number)),"currency":"KRW","tickets":2}"#
            _ = try? await redis.withConnection { [seed] connection in
                try connection.command([
                    "XADD", .init(Message.stream), "*", "id", .init("payment-\(seed)-\(number)"), "type",
                    .init(Message.Kind.paymentCompleted.rawValue), "occurredAt", .init(Instant.iso8601(occurredAt)),
                    "data", .init(data),
                ])
            }
            if paced { try? await Task.sleep(for: Self.interval) }
        }
    }
}
