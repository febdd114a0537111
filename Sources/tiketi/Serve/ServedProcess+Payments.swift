import Foundation
import PaymentService
import Platform
import ReservationService

extension ServedProcess {
    /// - Parameter reservations: of this process; asked where no `RESERVATIONS_URL` leads elsewhere.
    func payments(_ metrics: Metrics, beside reservations: ReservationService?) async throws -> PaymentService {
        let ownURL: @Sendable () -> URL? = { [own] in own.url }
        let site = try settings.webURL("PUBLIC_URL")
        let toss = try settings.tossURL()
        var configuration = PaymentService.Configuration(
            database: try settings.database("PAYMENTS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), nodeName: try settings.nodeID(),
            tossSecretKey: try settings.require("TOSS_SECRET_KEY"),
            tossClientKey: try settings.require("TOSS_CLIENT_KEY"), tossURL: { toss },
            reservationsURL: try address("RESERVATIONS_URL", of: .reservations), publicURL: { site ?? ownURL() },
            isSandbox: try settings.string("TOSS_SANDBOX") == "true",
            signingKey: try paymentsSigningKey(), clock: ProcessSettings.clock)
        if let reservations, try settings.webURL("RESERVATIONS_URL") == nil {
            configuration.reservations = ReservationsBeside(
                find: { try await reservations.internalJSON($0) },
                confirming: { try await reservations.confirming($0, paymentId: $1, amount: $2) },
                release: { try await reservations.release($0, paymentId: $1) },
                returned: { try await reservations.returned($0, paymentId: $1) },
                sold: { try await reservations.sold($0, paymentId: $1, approvedAt: $2) })
        }
        configuration.leaseMs = Int64(try settings.int("PAYMENTS_LEASE_SECONDS", default: 120, in: 1...3600)) * 1000
        configuration.tossTimeoutMs = Int64(try settings.int("TOSS_TIMEOUT_SECONDS", default: 35, in: 1...120)) * 1000
        configuration.outboxLeaseSeconds = try settings.outboxLeaseSeconds()
        return try await PaymentService(configuration, metrics: metrics, logger: logger)
    }

    private func paymentsSigningKey() throws -> SigningKey {
        if let key = try settings.signingKey("PAYMENTS_SIGNING_KEY") { return key }
        // Where Reservations is of this process, it is shown nowhere else.
        guard services.contains(.reservations) else { throw SettingsError("PAYMENTS_SIGNING_KEY", "is not set") }
        return SigningKey.generate()
    }
}
