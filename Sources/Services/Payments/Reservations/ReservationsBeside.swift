package import Foundation

/// Reservations in the same process: what its routes below `/internal/reservations` do, without HTTP. Each call throws the
/// `Problem` that the route would answer.
package struct ReservationsBeside: Sendable {
    /// A reservation's JSON.
    var find: @Sendable (_ id: String) async throws -> Data
    var confirming: @Sendable (_ id: String, _ paymentId: String, _ amount: Int64) async throws -> Void
    var release: @Sendable (_ id: String, _ paymentId: String) async throws -> Void
    var returned: @Sendable (_ id: String, _ paymentId: String) async throws -> Void
    /// The tickets' ids.
    var sold: @Sendable (_ id: String, _ paymentId: String, _ approvedAt: Int64) async throws -> [String]

    package init(
        find: @escaping @Sendable (_ id: String) async throws -> Data,
        confirming: @escaping @Sendable (_ id: String, _ paymentId: String, _ amount: Int64) async throws -> Void,
        release: @escaping @Sendable (_ id: String, _ paymentId: String) async throws -> Void,
        returned: @escaping @Sendable (_ id: String, _ paymentId: String) async throws -> Void,
        sold: @escaping @Sendable (_ id: String, _ paymentId: String, _ approvedAt: Int64) async throws -> [String]
    ) {
        self.find = find
        self.confirming = confirming
        self.release = release
        self.returned = returned
        self.sold = sold
    }
}
