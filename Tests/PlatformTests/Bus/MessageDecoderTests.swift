import Core
import TestSupport
import Testing

@testable import Platform

/// What is no message is refused, and the reason says which part of it is wrong.
@Suite(.timeLimit(.minutes(5))) struct MessageDecoderTests {
    private static let fields = [
        "id": "m1", "type": "payment.completed", "occurredAt": "2025-12-01T13:00:00+09:00",
        "data": Self.payment(),
    ]

    private static func payment(artist: String = "artist_1", currency: String = "KRW", tickets: Int64 = 2) -> String {
        """
        {"paymentId":"p","eventId":"event_1","artistId":"\(artist)","amount":1000,"currency":"\(currency)",\
        "tickets":\(tickets)}
        """
    }

    private func reason(_ fields: [String: String]) -> String? {
        do {
            _ = try MessageDecoder.decode(fields)
            return nil
        } catch {
            return error.reason
        }
    }

    private func reason(_ field: String, _ value: String?) -> String? {
        var fields = Self.fields
        fields[field] = value
        return reason(fields)
    }

    private func reason(data: String, type: String = "payment.completed") -> String? {
        var fields = Self.fields
        fields["type"] = type
        fields["data"] = data
        return reason(fields)
    }

    @Test func aWholeMessageIsRead() throws {
        let message = try MessageDecoder.decode(Self.fields)
        #expect(message.id == "m1")
        #expect(message.occurredAt == Instant.parse("2025-12-01T04:00:00Z"))
        #expect(
            message.body
                == .paymentCompleted(
                    PaymentCompleted(
                        paymentId: "p", eventId: "event_1", artistId: "artist_1", amount: 1000, currency: "KRW",
                        tickets: 2)))
    }

    @Test func furtherFieldsAndKeysArePassedOver() throws {
        #expect(reason("traceparent", "00-1-2-01") == nil)
        #expect(
            reason(data: #"{"userId":"u","plan":{"name":"free"}}"#, type: "user.registered") == nil)
    }

    @Test(arguments: ["id", "type", "occurredAt", "data"])
    func aMissingFieldIsNamed(field: String) {
        #expect(reason(field, nil) == "\(field) is missing")
    }

    @Test func ids() {
        #expect(reason("id", "") == "id is not of 1 to 128 bytes")
        #expect(reason("id", String(repeating: "x", count: 129)) == "id is not of 1 to 128 bytes")
        #expect(reason("id", String(repeating: "가", count: 43)) == "id is not of 1 to 128 bytes")
        #expect(reason("id", String(repeating: "x", count: 128)) == nil)
        #expect(reason("id", "a\u{0}b") == "id has a control character")
        #expect(reason("id", "a\u{7f}b") == "id has a control character")
        #expect(reason("id", "가수 {1}:2") == nil)
    }

    @Test func types() {
        #expect(reason("type", "payment.exploded") == "unknown type payment.exploded")
        #expect(reason("type", "Payment.Completed") == "unknown type Payment.Completed")
        #expect(reason("type", String(repeating: "x", count: 5000))!.count < 200)
    }

    @Test(arguments: [
        "", "yesterday", "2025-12-01", "2025-12-01T13:00:00", "2025-02-30T00:00:00Z", "2025-12-01T24:00:00Z",
        "2025-12-01T13:00:60Z", "1764514800000", "2025-12-01T13:00:00+19:00", "2025-12-01T13:00:00Zx",
    ])
    func datesThatAreNone(date: String) {
        #expect(reason("occurredAt", date) == "occurredAt is not an ISO 8601 date-time with an offset")
    }

    @Test(arguments: ["0001-01-01T00:00:00Z", "1970-01-20T00:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z"])
    func datesThatCanOnlyBeMistakes(date: String) {
        #expect(reason("occurredAt", date) == "occurredAt is not within the years 2000 to 2099")
    }

    @Test(arguments: ["paymentId", "eventId", "artistId", "amount", "currency", "tickets"])
    func aMissingKeyIsNamed(key: String) {
        let data = Self.payment().replacing("\"\(key)\"", with: "\"other\"")
        #expect(reason(data: data) == "data.\(key) is missing")
    }

    @Test(arguments: [
        ("-1", "data.amount is not between 0 and 1000000000000"),
        ("1000000000001", "data.amount is not between 0 and 1000000000000"),
        ("0.5", "data has a number that is no 64-bit integer"),
        ("9223372036854775808", "data has a number that is no 64-bit integer"), ("1e400", "data is not JSON"),
        ("\"1000\"", "data.amount has the wrong type"),
        ("null", "data.amount has the wrong type"), ("true", "data.amount has the wrong type"),
        ("[1]", "data.amount has the wrong type"), ("{}", "data.amount has the wrong type"),
    ])
    func amounts(amount: String, expected: String) {
        let data = Self.payment().replacing("\"amount\":1000", with: "\"amount\":\(amount)")
        #expect(reason(data: data) == expected)
    }

    @Test(arguments: ["payment.completed", "payment.refunded", "reservation.confirmed", "reservation.canceled"])
    func aVisitorMayBeMissingButNotMalformed(type: String) {
        func reason(visitor: String) -> String? {
            self.reason(
                data: """
                    {"paymentId":"p","refundId":"r","reservationId":"r","eventId":"e","artistId":"a","amount":1,\
                    "currency":"KRW","tickets":1,"visitorId":\(visitor)}
                    """, type: type)
        }
        #expect(reason(visitor: "null") == nil)
        #expect(reason(visitor: "\"\(String(repeating: "x", count: 128))\"") == nil)
        #expect(
            reason(visitor: "\"\(String(repeating: "x", count: 129))\"") == "data.visitorId is not of 1 to 128 bytes")
        #expect(reason(visitor: "\"\"") == "data.visitorId is not of 1 to 128 bytes")
        #expect(reason(visitor: "\"a\\n\"") == "data.visitorId has a control character")
        #expect(reason(visitor: "7") == "data.visitorId has the wrong type")
    }

    @Test(arguments: ["krw", "KR", "KRWW", "K W", "₩₩₩", "", "123"])
    func currencies(currency: String) {
        #expect(
            reason(data: Self.payment(currency: currency)) == "data.currency is not three capital letters")
    }

    @Test func tickets() {
        #expect(
            reason(data: Self.payment(tickets: -1)) == "data.tickets is not between 0 and 100000")
        #expect(
            reason(data: Self.payment(tickets: 100_001)) == "data.tickets is not between 0 and 100000")
        #expect(reason(data: Self.payment(tickets: 0)) == nil)
    }

    @Test func dataThatIsNoObject() {
        #expect(reason(data: "") == "data is not JSON")
        #expect(reason(data: "{") == "data is not JSON")
        #expect(reason(data: Self.payment() + "x") == "data is not JSON")
        #expect(reason(data: "[]") == "data is not an object")
        #expect(reason(data: "null") == "data is not an object")
        #expect(reason(data: "17") == "data is not an object")
        #expect(reason(data: String(repeating: "[", count: 60_000)) == "data is not JSON")
        #expect(reason(data: #"{"userId":"\ud800"}"#, type: "user.registered") == "data is not JSON")
    }

    @Test func dataThatIsTooLarge() {
        let padding = String(repeating: " ", count: MessageDecoder.maxDataBytes - Self.payment().utf8.count)
        #expect(reason(data: Self.payment() + padding) == nil)
        #expect(reason(data: Self.payment() + padding + " ") == "data is over 65536 bytes")
    }

    @Test func textsWithControlCharacters() {
        #expect(
            reason(data: Self.payment(artist: "a\\u0000b")) == "data.artistId has a control character")
        #expect(
            reason(data: #"{"artistId":"a","name":"x\u0000y"}"#, type: "artist.upserted")
                == "data.name is not of 1 to 1024 bytes without control characters")
        #expect(
            reason(data: #"{"eventId":"e","title":"x\ny"}"#, type: "event.upserted")
                == "data.title is not of 1 to 1024 bytes without control characters")
        #expect(
            reason(data: #"{"eventId":"e","title":"x","startsAt":"soon"}"#, type: "event.upserted")
                == "data.startsAt is not an ISO 8601 date-time with an offset")
    }

    @Test func availability() {
        func said(_ data: String) -> String? { reason(data: data, type: "event.availability") }
        #expect(said(#"{"eventId":"e","soldOut":false}"#) == nil)
        #expect(said(#"{"eventId":"","soldOut":false}"#) == "data.eventId is not of 1 to 128 bytes")
        #expect(said(#"{"eventId":"e","soldOut":0}"#) == "data.soldOut has the wrong type")
        #expect(said(#"{"eventId":"e"}"#) == "data.soldOut is missing")
    }

    @Test func bytesThatAreNoTextAndFieldsThatAreTwice() {
        func reason(_ fields: [(String, [UInt8])]) -> String? {
            do {
                _ = try MessageDecoder.decode(fields.map { .init(name: Array($0.0.utf8), value: $0.1) })
                return nil
            } catch {
                return error.reason
            }
        }
        let whole = Self.fields.map { ($0.key, Array($0.value.utf8)) }
        #expect(reason(whole) == nil)
        #expect(reason(whole.filter { $0.0 != "id" } + [("id", [0x61, 0xff])]) == "id is not UTF-8")
        #expect(reason(whole.filter { $0.0 != "data" } + [("data", [0xc0, 0x80])]) == "data is not UTF-8")
        #expect(reason(whole + [("id", Array("m2".utf8))]) == "id is there twice")
    }
}
