import Platform
import ReservationService

extension ServedProcess {
    func reservations(_ metrics: Metrics) async throws -> ReservationService {
        var configuration = ReservationService.Configuration(
            database: try settings.database("RESERVATIONS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), ticketKey: try ticketKey(), eventsURL: try address("EVENTS_URL", of: .events),
            clock: ProcessSettings.clock)
        configuration.paymentsKeys = try await paymentsKeys()
        configuration.queueKeys = try settings.jwksURL("QUEUE_JWKS_URL").map {
            .fetched(FetchedKeys(url: $0, logger: logger))
        }
        configuration.holdSeconds = try settings.int(
            "HOLD_SECONDS", default: ReservationService.Configuration.defaultHoldSeconds, in: 10...86_400)
        configuration.maxLiveReservations = try settings.int(
            "MAX_LIVE_RESERVATIONS", default: ReservationService.Configuration.defaultMaxLiveReservations, in: 1...1000)
        configuration.maxHoldsPerHour = try settings.int(
            "MAX_HOLDS_PER_HOUR", default: ReservationService.Configuration.defaultMaxHoldsPerHour, in: 1...100_000)
        configuration.outboxLeaseSeconds = try settings.outboxLeaseSeconds()
        configuration.consumer = try settings.nodeID()
        return try await ReservationService(configuration, metrics: metrics, logger: logger)
    }

    /// `TICKET_SIGNING_KEY`
    private func ticketKey() throws -> TicketKey {
        guard let key = try settings.signingKey("TICKET_SIGNING_KEY") else {
            throw SettingsError("TICKET_SIGNING_KEY", "missing: reservations signs tickets with it")
        }
        return try TicketKey(key)
    }

    /// Payments' tokens are checked with `PAYMENTS_JWKS_URL`, or with the public half of `PAYMENTS_SIGNING_KEY`.
    private func paymentsKeys() async throws -> KeySource? {
        if let url = try settings.jwksURL("PAYMENTS_JWKS_URL") {
            return .fetched(FetchedKeys(url: url, logger: logger))
        }
        guard let key = try settings.signingKey("PAYMENTS_SIGNING_KEY") else { return nil }
        return .fixed(try await VerifyingKeys(key))
    }
}
