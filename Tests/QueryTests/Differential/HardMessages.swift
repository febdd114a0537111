import Core
import TestSupport

/// Payments and refunds about the end of a month, in two currencies; some come twice.
enum HardMessages {
    static func make(_ count: Int, _ generator: inout SeededGenerator) -> [Message] {
        func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        let texts = HardTexts()
        var messages: [Message] = []
        while messages.count < count {
            if !messages.isEmpty, below(20) == 0 {
                messages.append(messages[below(messages.count)])
                continue
            }
            let id = "m\(messages.count)"
            let at = HardBeacons.start + Int64(below(HardBeacons.days * Int(HardBeacons.day)))
            // Some at the very edge of an hour.
            let occurredAt = below(10) == 0 ? at - at % HardBeacons.hour - Int64(below(2)) : at
            let artist = below(texts.artists.count)
            let event = texts.events[artist * 2 + below(2)]
            let currency = ["KRW", "KRW", "KRW", "USD"][below(4)]
            let (amount, tickets) = (Int64(below(500_000)), Int64(below(5)))
            let body: Message.Body =
                if below(5) == 0 {
                    .paymentRefunded(
                        PaymentRefunded(
                            refundId: id, paymentId: "p", eventId: event, artistId: texts.artists[artist],
                            amount: amount, currency: currency, tickets: tickets))
                } else {
                    .paymentCompleted(
                        PaymentCompleted(
                            paymentId: id, eventId: event, artistId: texts.artists[artist], amount: amount,
                            currency: currency, tickets: tickets))
                }
            messages.append(Message(id: id, occurredAt: occurredAt, body: body))
        }
        return messages
    }

    /// One a line, as DuckDB reads them.
    static func ndjson(_ messages: [Message]) -> String {
        var text = ""
        for message in messages {
            switch message.body {
            case .paymentCompleted(let body):
                text += line(
                    message, isRefund: false, body.artistId, body.eventId, body.currency, body.amount, body.tickets)
            case .paymentRefunded(let body):
                text += line(
                    message, isRefund: true, body.artistId, body.eventId, body.currency, body.amount, body.tickets)
            default: break
            }
        }
        return text
    }

    private static func line(
        _ message: Message, isRefund: Bool, _ artist: String, _ event: String, _ currency: String, _ amount: Int64,
        _ tickets: Int64
    ) -> String {
        """
        {"id":"\(message.id)","occurred":\(message.occurredAt),"refund":\(isRefund),"artist":"\(artist)",\
        "event":"\(event)","currency":"\(currency)","amount":\(amount),"tickets":\(tickets)}\n
        """
    }
}
