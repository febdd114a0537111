import Core
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Platform
import Storage

/// The routes of `/api/payments`.
struct PaymentAPI: Sendable {
    /// Confirmations that go on while their clients wait; others are left to the worker. Each may wait for Toss, and takes
    /// no thread meanwhile.
    static let maxInline = 512
    static let maxPage = 100
    static let retryAfterSeconds = 2

    let configuration: PaymentService.Configuration
    let postgres: PostgresPool
    let worker: PaymentWorker
    let reservations: ReservationClient
    let metrics: PaymentMetrics
    let logger: Logger
    private let inline = Gauge()

    init(
        configuration: PaymentService.Configuration, postgres: PostgresPool, worker: PaymentWorker,
        reservations: ReservationClient, metrics: PaymentMetrics, logger: Logger
    ) {
        self.configuration = configuration
        self.postgres = postgres
        self.worker = worker
        self.reservations = reservations
        self.metrics = metrics
        self.logger = logger
    }

    func addRoutes(to router: Router<ServiceContext>) {
        let now: @Sendable () -> Int64 = { [clock = configuration.clock] in clock() / 1000 }
        let verifier = TokenVerifier(configuration.keys, audience: .payments, now: now)
        // Without a token: it proves nothing, and is taken for a hint.
        router.post("api/payments/toss/webhook") { request, _ in try await webhook(request) }
        let everybody = router.group("api/payments")
            .add(middleware: IdentityMiddleware(verifier, roles: [.user, .admin, .analyst]))
        everybody.post("toss/request") { request, context in try await request_(request, context) }
        everybody.post("toss/confirm") { request, context in try await confirm(request, context) }
        everybody.get("") { request, context in try await list(request, context) }
        everybody.get(":id") { request, context in try await payment(request, context) }
        let admins = router.group("api/payments")
            .add(middleware: IdentityMiddleware(verifier, roles: [.admin]))
        admins.post(":id/refund") { request, context in try await refund(request, context) }
        admins.post(":id/refunds/:refundId/retry") { request, context in try await retry(request, context) }
    }

    // MARK: An order

    private func request_(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        let fields = try await RequestFields(of: request, known: ["reservationId"])
        let id = try fields.text("reservationId", bytes: 36...36)
        guard isUUID(id) else { throw fields.invalid("reservationId", "must be a UUID") }
        let reservation: Reservation
        switch await reservations.reservation(id) {
        case .ok(let found): reservation = found
        case .notFound: throw Self.notFound("reservation")
        case .conflict, .unknown: throw Problem.unavailable
        }
        guard reservation.userId == identity.subject else { throw Self.notFound("reservation") }
        let now = configuration.clock()
        guard reservation.state.lowercased() == "held", reservation.expires.map({ $0 > now }) ?? true else {
            throw Problem(.conflict, "not_held", detail: "the reservation is \(reservation.state) and can't be paid")
        }
        guard reservation.currency == "KRW" else {
            throw Problem(.conflict, "currency_not_taken", detail: "only KRW can be paid")
        }
        guard reservation.amount > 0 else {
            throw Problem(.conflict, "nothing_to_pay", detail: "the reservation costs nothing")
        }
        let row = try await order(reservation, now: now)
        return try answer(order: row, request)
    }

    /// The order that is told to the browser: stored first, under a name that nobody can guess (trap 3), and of the
    /// amount that the reservation has (trap 2).
    private func order(_ reservation: Reservation, now: Int64) async throws -> PaymentRow {
        do {
            let first = try await worker.commits.run(reservation.id) {
                try OrderStore.first(reservation, now: now, on: $0)
            }
            if let first { return first }
            return try await postgres.withConnection { connection in
                try connection.transaction { try OrderStore.order(reservation, now: now, on: $0) }
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            // Another request of this reservation was first: its order is taken.
            return try await postgres.withConnection { connection in
                try connection.transaction { try OrderStore.order(reservation, now: now, on: $0) }
            }
        }
    }

    private func answer(order row: PaymentRow, _ request: Request) throws -> Response {
        guard let site = configuration.publicURL() else { throw Problem.unavailable }
        let success = site.appending(path: "checkout/success").absoluteString
        let fail = site.appending(path: "checkout/fail").absoluteString
        let customer = Hexadecimal.text(Self.customerKey(row.userId))
        var page: String?
        if configuration.isSandbox, let toss = configuration.tossURL() {
            page =
                toss.appending(path: "pay").appending(queryItems: [
                    .init(name: "orderId", value: row.orderId), .init(name: "amount", value: String(row.amount)),
                    .init(name: "orderName", value: Self.orderName(row)), .init(name: "successUrl", value: success),
                    .init(name: "failUrl", value: fail),
                    .init(name: "clientKey", value: configuration.tossClientKey),
                ]).absoluteString
        }
        var json = JSONWriter()
        json.object { json in
            json.member("paymentId", row.paymentId)
            json.member("orderId", row.orderId)
            json.member("amount", row.amount)
            json.member("currency", row.currency)
            json.member("orderName", Self.orderName(row))
            json.member("customerKey", "c-\(customer)")
            json.member("clientKey", configuration.tossClientKey)
            json.member("successUrl", success)
            json.member("failUrl", fail)
            if let page { json.member("checkoutUrl", page) }
        }
        return JSONResponse.make(json, to: request, cacheControl: "no-store")
    }

    /// Toss wants one that can't be guessed and is no serial number; it needn't know our ids.
    private static func customerKey(_ user: String) -> UInt64 {
        SHA256.hash(data: Data("tiketi-customer:\(user)".utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Toss takes 100 characters.
    private static func orderName(_ row: PaymentRow) -> String {
        let more = row.tickets > 1 ? " \(row.tickets)매" : ""
        return String(row.title.prefix(100 - more.count)) + more
    }

    // MARK: Confirming

    private func confirm(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        let fields = try await RequestFields(of: request, known: ["paymentKey", "orderId", "amount"])
        let paymentKey = try fields.text("paymentKey", bytes: 1...200)
        let orderId = try fields.text("orderId", bytes: 6...64)
        let amount = try fields.integer("amount", in: 0...MessageDecoder.maxAmount)
        guard OrderStore.isPaymentKey(paymentKey) else {
            throw fields.invalid("paymentKey", "must be letters, digits, - and _")
        }
        let lease = PaymentWorker.newLease()
        let now = configuration.clock()
        let takesPart = inline.add(1) <= configuration.maxInline
        var isDriving = false
        defer { if !isDriving { inline.add(-1) } }
        let begun = try await worker.commits.run(orderId) { [leaseMs = configuration.leaseMs] connection in
            try OrderStore.beginConfirming(
                order: orderId, paymentKey: paymentKey, amount: amount, of: identity.subject,
                lease: takesPart ? lease : nil, leaseUntil: now + leaseMs, now: now, on: connection)
        }
        let row: PaymentRow
        switch begun {
        case .notFound: throw Self.notFound("order")
        case .amountDiffers: throw fields.invalid("amount", "is not what the order costs")
        case .otherKey:
            throw Problem(.conflict, "already_confirming", detail: "the order is confirmed with another paymentKey")
        case .known(let known): return try answer(known, request)
        case .begun(let begun): row = begun
        }
        guard takesPart else { return try answer(row, request) }
        isDriving = true
        let end = FirstOf<PaymentRow?>()
        // It goes on when the client has gone.
        Task { [worker, inline] in
            let driven = await worker.drive(row, lease: lease, isFresh: true)
            inline.add(-1)
            end.finish(driven)
        }
        let timer = Task { [wait = configuration.confirmWaitMs] in
            try? await Task.sleep(for: .milliseconds(wait))
            end.finish(nil)
        }
        let driven = await end.wait()
        timer.cancel()
        if let driven, !PaymentSaga.isWorking(driven.state) { return try answer(driven, request) }
        let after = try await postgres.withConnection { try PaymentStore.find(row.paymentId, on: $0) }
        return try answer(after ?? row, request)
    }

    private func answer(_ row: PaymentRow, _ request: Request) throws -> Response {
        switch row.state {
        case .ticketed:
            return JSONResponse.make(PaymentJSON.payment(row), to: request, cacheControl: "no-store")
        case .confirming, .paid, .ready:
            let json = PaymentJSON.payment(row)
            return Response(
                status: .accepted,
                headers: [
                    .contentType: "application/json", .retryAfter: String(Self.retryAfterSeconds),
                    .cacheControl: "no-store",
                ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
        case .returning, .unfulfilled:
            throw Problem(
                .conflict, "seats_lost", detail: "there are no tickets: the money is, or was, given back in full")
        case .releasing, .failed:
            let code = row.failureCode ?? "refused"
            let isOurs = code == code.lowercased()
            throw Problem(
                isOurs ? .conflict : .init(code: 402, reasonPhrase: "Payment Required"),
                isOurs ? code : "payment_refused", detail: "no money was taken: \(code)")
        }
    }

    // MARK: Webhooks

    private func webhook(_ request: Request) async throws -> Response {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: WebhookStore.maxBodyBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge, "body_too_large", detail: "a webhook may have \(WebhookStore.maxBodyBytes) bytes")
        }
        let body = Array(buffer.readableBytesView)
        let now = configuration.clock()
        let isStored = try await postgres.withConnection { [max = configuration.maxWaitingWebhooks] in
            try WebhookStore.store(body, now: now, maxWaiting: max, on: $0)
        }
        guard isStored else {
            // Toss comes again; and what it would say is found by asking.
            metrics.webhooksTurnedAway.increment()
            throw Problem.overloaded
        }
        metrics.webhooksStored.increment()
        return Response(status: .ok)
    }

    // MARK: Refunds

    private func refund(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context, "id", "payment")
        let fields = try await RequestFields(of: request, known: ["amount", "reason", "tickets"])
        let amount = try fields.optionalInteger("amount", in: 1...MessageDecoder.maxAmount)
        let tickets = try fields.optionalInteger("tickets", in: 0...100)
        let reason = try fields.text("reason", bytes: 1...RefundStore.maxReasonLength)
        guard let key = request.headers[.idempotencyKey], (1...100).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw Problem.invalid(
                "Idempotency-Key", "this header is needed: 1 to 100 visible ASCII characters, one for each refund")
        }
        let now = configuration.clock()
        let asked = "\(amount.map(String.init) ?? "all") \(tickets.map(String.init) ?? "-") \(reason)"
        let made = try await postgres.withConnection { connection in
            try connection.transaction { connection in
                try RefundStore.request(
                    payment: id, key: "admin:\(id):\(key)", amount: amount, tickets: tickets ?? 0, reason: reason,
                    asked: asked, now: now, on: connection)
            }
        }
        switch made {
        case .made(let refund), .known(let refund):
            // Of one that a program of the version before has stored the amount alone can be told.
            guard refund.asked.map({ $0 == asked }) ?? (amount ?? refund.amount == refund.amount) else {
                throw Problem(
                    .conflict, "idempotency_key_used",
                    detail: "the key was used for another request, which gave back \(refund.amount)")
            }
            var json = JSONWriter()
            PaymentJSON.write(refund, to: &json)
            return Response(
                status: .accepted, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
        case .unknownPayment: throw Self.notFound("payment")
        case .notPaid: throw Self.notPaid
        case .exceedsBalance(let left): throw Self.exceedsBalance(left)
        case .exceedsTickets(let left):
            throw Problem(.conflict, "exceeds_tickets", detail: "\(left) of its tickets are not given back for")
        }
    }

    private func retry(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context, "id", "payment")
        let refund = try Self.id(context, "refundId", "refund")
        let now = configuration.clock()
        let retry = try await postgres.withConnection { connection in
            try connection.transaction { try RefundStore.retry(refund, of: id, now: now, on: $0) }
        }
        let retried: RefundRow
        switch retry {
        case .retried(let row): retried = row
        case .unknown: throw Self.notFound("refund")
        case .notRefused(let row):
            throw Problem(.conflict, "not_refused", detail: "the refund is \(row.state.rawValue)")
        case .notPaid: throw Self.notPaid
        case .exceedsBalance(let left): throw Self.exceedsBalance(left)
        }
        var json = JSONWriter()
        PaymentJSON.write(retried, to: &json)
        return Response(
            status: .accepted, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }

    // MARK: Reading

    private func payment(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        let id = try Self.id(context, "id", "payment")
        let found = try await postgres.withConnection { connection in
            try PaymentStore.find(id, on: connection).map { ($0, try RefundStore.all(of: id, on: connection)) }
        }
        guard let (row, refunds) = found, row.userId == identity.subject || identity.role == .admin else {
            throw Self.notFound("payment")
        }
        return JSONResponse.make(PaymentJSON.payment(row, refunds: refunds), to: request, cacheControl: "no-store")
    }

    private func list(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        let isAdmin = identity.role == .admin
        let parameters = try QueryParameters(
            query: request.uri.query,
            known: ["cursor", "limit"]
                + (isAdmin ? ["userId", "reservationId", "state", "stuck", "refundRefused"] : []))
        let limit = try parameters.integer("limit", in: 1...Self.maxPage, default: 20)
        let filter = PaymentFilter(
            userId: isAdmin ? try parameters.identifier("userId") : identity.subject,
            reservationId: try parameters.identifier("reservationId"),
            state: try parameters["state"].map { text in
                guard let state = PaymentSaga.State(rawValue: text) else {
                    let allowed = PaymentSaga.State.allCases.map(\.rawValue)
                    throw Problem.invalid(
                        "state", "must be one of \(allowed.joined(separator: ", "))", allowed: allowed)
                }
                return state
            },
            isStuck: try parameters.choice("stuck", of: Flag.allCases, default: .no) == .yes,
            hasRefusedRefund: try parameters.choice("refundRefused", of: Flag.allCases, default: .no) == .yes)
        let cursor = try parameters["cursor"].map { text in
            guard let cursor = PaymentCursor(text) else {
                throw Problem.invalid("cursor", "must be the next of an earlier answer")
            }
            return cursor
        }
        let rows = try await postgres.withConnection {
            try PaymentFilter.page(filter, after: cursor, limit: limit + 1, on: $0)
        }
        var json = JSONWriter()
        json.object { json in
            json.member("payments", array: rows.prefix(limit)) { PaymentJSON.write($1, to: &$0) }
            json.member("next", rows.count > limit ? PaymentCursor(rows[limit - 1]).text : nil)
        }
        return JSONResponse.make(json, to: request, cacheControl: "no-store")
    }

    private enum Flag: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }

    // MARK: Texts

    private static let notPaid = Problem(.conflict, "not_paid", detail: "no money was taken")

    private static func exceedsBalance(_ left: Int64) -> Problem {
        Problem(.conflict, "exceeds_balance", detail: "\(left) can be given back")
    }

    static func notFound(_ what: String) -> Problem {
        Problem(.notFound, "not_found", detail: "there is no such \(what)")
    }

    /// - Throws: 404 where it is no id of ours.
    private static func id(_ context: ServiceContext, _ name: String, _ what: String) throws -> String {
        let text = try context.parameters.require(name)
        guard isUUID(text) else { throw notFound(what) }
        return text
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}
