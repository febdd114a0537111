import HTTPTypes
import Hummingbird
import Platform
import Synchronization

/// How much one address, and one network, may send, before anything of it is read and before the database is asked: in
/// memory, for this process alone. What an attempt is worth is counted by `Throttle`.
///
/// Who has a whole network has thousands of addresses. A network that sends too much is crowded for the rest of the window:
/// then each customer of it has a little of his own, so that no neighbour keeps him out.
final class AddressGate: Sendable {
    static let windowMs: Int64 = 10_000
    /// Of each kind, that are counted in a window. Addresses and networks beyond are let through, customers beyond wait in
    /// a crowded network.
    static let maxCounted = 65_536

    /// In a window.
    struct Bounds: Sendable {
        /// Of one address; behind it may be a mobile network.
        let maxRequests: Int
        var maxRequestsOfNetwork: Int { maxRequests * 10 }
        /// Of one customer, in a crowded network.
        var maxRequestsInCrowd: Int { maxRequests / 10 }

        static let usual = Bounds(maxRequests: 1000)
        /// Of browsers that bring a session: each does every few minutes, and a carrier's address has thousands.
        static let sessions = Bounds(maxRequests: 10_000)
    }

    private struct Counts {
        private var counts: [ArraySlice<UInt8>: Int] = [:]

        /// Nil where it can't be counted any more.
        subscript(key: ArraySlice<UInt8>) -> Int? { counts[key] ?? (counts.count < AddressGate.maxCounted ? 0 : nil) }

        mutating func add(_ key: ArraySlice<UInt8>) {
            guard let count = self[key] else { return }
            counts[key] = count + 1
        }
    }

    private struct State {
        var window = Int64.min
        var addresses = Counts()
        var customers = Counts()
        var networks = Counts()
    }

    private let bounds: Bounds
    private let state = Mutex(State())

    init(_ bounds: Bounds) {
        self.bounds = bounds
    }

    /// - Returns: seconds to wait; nil where it may go on.
    func wait(_ address: ClientAddress, now: Int64) -> Int? {
        let window = now / Self.windowMs
        return state.withLock { state in
            if state.window != window { state = State(window: window) }
            let isCrowded = state.networks[address.network] ?? 0 >= bounds.maxRequestsOfNetwork
            guard state.addresses[address.rateKey] ?? 0 < bounds.maxRequests,
                !isCrowded || state.customers[address.customer] ?? .max < bounds.maxRequestsInCrowd
            else { return Int(((window + 1) * Self.windowMs - now + 999) / 1000) }
            state.addresses.add(address.rateKey)
            state.customers.add(address.customer)
            state.networks.add(address.network)
            return nil
        }
    }
}

/// Refuses what an address sends beyond its measure with 429.
struct AddressGateMiddleware: RouterMiddleware {
    typealias Context = ServiceContext

    private let gate: @Sendable (Request) -> AddressGate?
    private let client: @Sendable (Request, ServiceContext) -> ClientAddress
    private let clock: @Sendable () -> Int64

    /// - Parameter gate: that counts the request; nil where it goes on uncounted: one that only asks, and has no body.
    init(
        client: @escaping @Sendable (Request, ServiceContext) -> ClientAddress,
        clock: @escaping @Sendable () -> Int64, gate: @escaping @Sendable (Request) -> AddressGate?
    ) {
        self.client = client
        self.clock = clock
        self.gate = gate
    }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let seconds = gate(request)?.wait(client(request, context), now: clock()) {
            throw Problem(
                .tooManyRequests, "too_many_requests", detail: "too much comes from this address",
                retryAfterSeconds: seconds)
        }
        return try await next(request, context)
    }
}
