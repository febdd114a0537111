import NIOHTTP1

/// A request that the right person's is answered well to, for each route that needs more than its path.
///
/// Words in capitals stand for what `ShopUnderTest` has: things of its owner's, or something new each time.
struct SampleRequest: Sendable {
    var path: String
    var body: String?
    var headers: HTTPHeaders = [:]

    static func of(_ route: String) -> SampleRequest {
        if let sample = all[route] { return sample }
        return SampleRequest(path: String(route.split(separator: " ")[1]))
    }

    private static let event = """
        "title":"공연","artistId":"concert","venueId":"concert","categoryId":"concert",\
        "startsAt":"2099-01-01T19:00:00+09:00","salesOpenAt":"2025-01-01T00:00:00+09:00",\
        "salesCloseAt":"2098-12-31T00:00:00+09:00","maxSeatsPerBuyer":20,\
        "ticketTypes":[{"name":"VIP","price":165000}]
        """
    private static let noCode = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    private static let fromHere: HTTPHeaders = ["X-Tiketi-Request": "1"]

    private static let all: [String: SampleRequest] = [
        "POST /api/analytics/track": .init(
            path: "/api/analytics/track", body: #"{"eventType":"page_view","artistId":"concert"}"#),
        "GET /api/analytics/track": .init(path: "/api/analytics/track?eventType=page_view"),
        "GET /api/analytics/artist/{artistId}/traffic": .init(path: "/api/analytics/artist/concert/traffic"),
        "GET /api/analytics/event/{eventId}/traffic": .init(path: "/api/analytics/event/concert/traffic"),
        "GET /api/analytics/event/{eventId}/funnel": .init(path: "/api/analytics/event/concert/funnel"),
        "GET /api/analytics/top": .init(path: "/api/analytics/top?by=artist"),

        "POST /api/events": .init(path: "/api/events", body: "{\(event)}"),
        "GET /api/events/search": .init(path: "/api/events/search?q=%EA%B3%B5%EC%97%B0"),
        "PUT /api/events/keywords": .init(
            path: "/api/events/keywords", body: #"{"pairs":[{"korean":"아이유","english":"IU"}]}"#),
        "GET /api/events/{id}": .init(path: "/api/events/concert"),
        "PUT /api/events/{id}": .init(path: "/api/events/changed", body: #"{"version":VERSION,\#(event)}"#),
        "GET /api/events/{id}/layout": .init(path: "/api/events/concert/layout"),
        "PUT /api/events/{id}/layout": .init(
            path: "/api/events/changed/layout",
            body: """
                {"sections":[{"name":"A","price":1000,"rows":[{"name":"1","firstNumber":1,"seats":3}]}],\
                "version":VERSION}
                """),
        "GET /api/events/{id}/images": .init(path: "/api/events/concert/images"),
        "POST /api/events/{id}/images": .init(
            path: "/api/events/concert/images",
            body: #"{"url":"https://img.example/a.jpg","width":10,"height":10,"altText":"","position":0}"#),
        "DELETE /api/events/{id}/images/{imageId}": .init(path: "/api/events/concert/images/IMAGE"),
        "DELETE /api/events/{id}": .init(path: "/api/events/doomed"),
        "POST /api/artists": .init(path: "/api/artists", body: #"{"name":"가수","description":"노래"}"#),
        "GET /api/artists/{id}": .init(path: "/api/artists/concert"),
        "PUT /api/artists/{id}": .init(path: "/api/artists/concert", body: #"{"version":VERSION,"name":"가수"}"#),
        "POST /api/venues": .init(path: "/api/venues", body: #"{"name":"홀","address":"서울"}"#),
        "GET /api/venues/{id}": .init(path: "/api/venues/concert"),
        "PUT /api/venues/{id}": .init(path: "/api/venues/concert", body: #"{"version":VERSION,"name":"홀"}"#),
        "POST /api/categories": .init(path: "/api/categories", body: #"{"name":"종류","position":1}"#),
        "GET /api/categories/{id}": .init(path: "/api/categories/concert"),
        "PUT /api/categories/{id}": .init(path: "/api/categories/concert", body: #"{"version":VERSION,"name":"종류"}"#),
        "DELETE /api/categories/{id}": .init(path: "/api/categories/doomed"),
        "GET /internal/events/{id}": .init(path: "/internal/events/concert"),

        "GET /api/seats/event/{eventId}": .init(path: "/api/seats/event/concert"),
        "POST /api/reservations": .init(
            path: "/api/reservations", body: #"{"eventId":"concert","seatIds":["SEAT"],"visitorId":"v"}"#),
        "GET /api/reservations/user/{userId}": .init(path: "/api/reservations/user/OWNER"),
        "GET /api/reservations/{id}": .init(path: "/api/reservations/HELD"),
        "GET /api/reservations/{id}/cancellation": .init(path: "/api/reservations/PAID/cancellation"),
        "GET /api/reservations/{id}/tickets": .init(path: "/api/reservations/PAID/tickets"),
        "DELETE /api/reservations/{id}": .init(path: "/api/reservations/DOOMED"),
        "GET /api/tickets/{id}": .init(path: "/api/tickets/TICKET"),
        "GET /api/tickets/{id}/qr": .init(path: "/api/tickets/TICKET/qr"),
        "POST /api/tickets/check-in": .init(path: "/api/tickets/check-in", body: #"{"payload":"PAYLOAD"}"#),
        "GET /internal/reservations/{id}": .init(path: "/internal/reservations/HELD"),
        "POST /internal/reservations/{id}/confirming": .init(
            path: "/internal/reservations/INNER/confirming", body: #"{"paymentId":"attempt","amount":PRICE}"#),
        "POST /internal/reservations/{id}/release": .init(
            path: "/internal/reservations/INNER/release", body: #"{"paymentId":"attempt"}"#),
        "POST /internal/reservations/{id}/returned": .init(
            path: "/internal/reservations/INNER/returned", body: #"{"paymentId":"another attempt"}"#),
        "POST /internal/reservations/{id}/sold": .init(
            path: "/internal/reservations/INNER/sold",
            body: #"{"paymentId":"attempt","approvedAt":"2026-01-01T00:00:00Z"}"#),

        "POST /api/payments/toss/request": .init(
            path: "/api/payments/toss/request", body: #"{"reservationId":"HELD"}"#),
        "POST /api/payments/toss/confirm": .init(
            path: "/api/payments/toss/confirm",
            body: #"{"paymentKey":"PAYMENTKEY","orderId":"ORDER","amount":PRICE}"#),
        "POST /api/payments/toss/webhook": .init(path: "/api/payments/toss/webhook", body: "{}"),
        "GET /api/payments/{id}": .init(path: "/api/payments/PAYMENT"),
        "POST /api/payments/{id}/refund": .init(
            path: "/api/payments/PAYMENT/refund", body: #"{"amount":10,"tickets":0,"reason":"사과"}"#,
            headers: ["Idempotency-Key": "NEW"]),
        "POST /api/payments/{id}/refunds/{refundId}/retry": .init(
            path: "/api/payments/PAYMENT/refunds/REFUND/retry"),

        "POST /api/users/register": .init(
            path: "/api/users/register",
            body: #"{"email":"NEW@example.com","password":"correct horse battery 9","name":"새 사람"}"#),
        "POST /api/users/login": .init(
            path: "/api/users/login", body: #"{"email":"owner@example.com","password":"correct horse battery 9"}"#),
        "PUT /api/users/profile": .init(path: "/api/users/profile", body: #"{"name":"김 티켓"}"#),
        "POST /api/users/email/verify": .init(path: "/api/users/email/verify", body: #"{"code":"\#(noCode)"}"#),
        "POST /api/users/email/resend": .init(path: "/api/users/email/resend", body: "{}"),
        "POST /api/users/password/forgot": .init(
            path: "/api/users/password/forgot", body: #"{"email":"NEW@example.com"}"#),
        "POST /api/users/password/reset": .init(
            path: "/api/users/password/reset", body: #"{"code":"\#(noCode)","newPassword":"another horse battery"}"#),
        "POST /api/users/google/exchange": .init(path: "/api/users/google/exchange", body: #"{"code":"\#(noCode)"}"#),
        "POST /api/users/google/link": .init(path: "/api/users/google/link", body: "{}"),
        // The password of all but the admin.
        "POST /api/users/google/unlink": .init(
            path: "/api/users/google/unlink", body: #"{"currentPassword":"correct horse battery 9"}"#),
        "POST /api/users/google-login": .init(
            path: "/api/users/google-login", body: #"{"idToken":"a.b.c","nonce":"n"}"#),
        "POST /api/users/refresh": .init(path: "/api/users/refresh", headers: fromHere),
        "PUT /api/users/password": .init(
            path: "/api/users/password",
            body: #"{"currentPassword":"correct horse battery 9","newPassword":"another horse battery"}"#),
        "POST /api/users/logout": .init(path: "/api/users/logout", headers: fromHere),
    ]
}
