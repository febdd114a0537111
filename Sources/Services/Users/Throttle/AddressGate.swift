import HTTPTypes
import Hummingbird
import Platform
import Synchronization

/// How much one address may send, before anything of it is read and before the database is asked: in memory, for this
/// process alone. What an attempt is worth is counted by `Throttle`.
final class AddressGate: Sendable {
    static let windowMs: Int64 = 10_000
    /// Of one address in a window; behind it may be a mobile network.
    static let maxRequests = 1000
    /// That are counted in a window; those of further ones are let through.
    static let maxAddresses = 65_536

    private struct State {
        var window = Int64.min
        var counts: [ArraySlice<UInt8>: Int] = [:]
    }

    private let state = Mutex(State())

    /// - Returns: seconds to wait; nil where it may go on.
    func wait(_ address: ClientAddress, now: Int64) -> Int? {
        let window = now / Self.windowMs
        let key = address.rateKey
        return state.withLock { state in
            if state.window != window { state = State(window: window) }
            let count = state.counts[key]
            guard count != nil || state.counts.count < Self.maxAddresses else { return nil }
            guard count ?? 0 < Self.maxRequests else {
                return Int(((window + 1) * Self.windowMs - now + 999) / 1000)
            }
            state.counts[key] = (count ?? 0) + 1
            return nil
        }
    }
}

/// Refuses what an address sends beyond its measure with 429.
struct AddressGateMiddleware: RouterMiddleware {
    typealias Context = ServiceContext

    private let gate: AddressGate
    private let exempt: Set<HTTPRequest.Method>
    private let client: @Sendable (Request, ServiceContext) -> ClientAddress
    private let clock: @Sendable () -> Int64

    /// - Parameter exempt: methods that go on uncounted: those that only ask, and have no body.
    init(
        _ gate: AddressGate, exempt: Set<HTTPRequest.Method>,
        client: @escaping @Sendable (Request, ServiceContext) -> ClientAddress,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.gate = gate
        self.exempt = exempt
        self.client = client
        self.clock = clock
    }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if !exempt.contains(request.method), let seconds = gate.wait(client(request, context), now: clock()) {
            throw Problem(
                .tooManyRequests, "too_many_requests", detail: "too much comes from this address",
                retryAfterSeconds: seconds)
        }
        return try await next(request, context)
    }
}
