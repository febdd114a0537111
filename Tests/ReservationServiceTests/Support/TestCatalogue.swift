import Core
import Foundation
import Hummingbird
import Logging
import Platform
import Synchronization
import TestSupport

/// Events as the service asks it: a real server that answers with what a test has put in.
final class TestCatalogue: Sendable {
    struct Event: Sendable {
        var id = UUID().uuidString.lowercased()
        var title = "Summer night"
        var artistId = "artist-1"
        var status = "scheduled"
        var salesOpenAt = TestClock.start - 86_400_000
        var salesCloseAt = TestClock.start + 30 * 86_400_000
        var startsAt = TestClock.start + 30 * 86_400_000
        var maxSeatsPerBuyer = 4
        var needsAdmission = false
        var version: Int64 = 1
        /// Section A; ten in a row.
        var seatCount = 20
        var price: Int64 = 110_000

        var seatIds: [String] { (0..<seatCount).map { "A-\($0 / 10 + 1)-\($0 % 10 + 1)" } }

        var json: String {
            var json = JSONWriter()
            json.object { json in
                json.member("id", id)
                json.member("title", title)
                json.member("artistId", artistId)
                json.member("status", status)
                json.member("salesOpenAt", Instant.iso8601(salesOpenAt))
                json.member("salesCloseAt", Instant.iso8601(salesCloseAt))
                json.member("startsAt", Instant.iso8601(startsAt))
                json.member("currency", "KRW")
                json.member("maxSeatsPerBuyer", Int64(maxSeatsPerBuyer))
                json.member("needsAdmission", needsAdmission)
                json.member("version", version)
                json.member("seats", array: seatIds) { json, id in
                    let parts = id.split(separator: "-").map(String.init)
                    json.object { json in
                        json.member("id", id)
                        json.member("section", parts[0])
                        json.member("row", parts[1])
                        json.member("number", parts[2])
                        json.member("price", price)
                    }
                }
            }
            return json.text
        }
    }

    private struct State {
        var events: [String: Event] = [:]
        var asked = 0
        var askedFor: [String: Int] = [:]
        var isBroken = false
        var isElsewhere = false
        var broken: Set<String> = []
        var isStalling = false
        var heldBack: Set<String> = []
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.asked } }

    func asked(for id: String) -> Int { state.withLock { $0.askedFor[id, default: 0] } }

    func put(_ event: Event) { state.withLock { $0.events[event.id] = event } }

    func remove(_ id: String) { state.withLock { $0.events[id] = nil } }

    /// From now on there is another server at the address: no path is known to it.
    func misroute(_ isElsewhere: Bool) { state.withLock { $0.isElsewhere = isElsewhere } }

    func breakDown(_ isBroken: Bool) { state.withLock { $0.isBroken = isBroken } }

    /// Of one event alone.
    func breakDown(_ id: String, _ isBroken: Bool) {
        state.withLock { state in
            if isBroken { state.broken.insert(id) } else { state.broken.remove(id) }
        }
    }

    /// Says nothing of ids that are no event's until told otherwise.
    func stall(_ isStalling: Bool) { state.withLock { $0.isStalling = isStalling } }

    /// Answers about this event are as things are now, and are kept until told otherwise.
    func holdBack(_ id: String, _ isHeldBack: Bool) {
        state.withLock { state in
            if isHeldBack { state.heldBack.insert(id) } else { state.heldBack.remove(id) }
        }
    }

    /// Runs `body` with the address of a server that answers for `catalogue`.
    static func serve<R: Sendable>(
        _ catalogue: TestCatalogue, _ body: @escaping @Sendable (URL) async throws -> R
    ) async throws -> R {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("internal/events/:id") { _, context in
            let id = context.parameters.get("id") ?? ""
            let answer = try catalogue.state.withLock { state -> String?? in
                state.asked += 1
                state.askedFor[id, default: 0] += 1
                if state.isElsewhere { throw HTTPError(.notFound) }
                return state.isBroken || state.broken.contains(id) ? .none : .some(state.events[id]?.json)
            }
            guard let answer else { throw HTTPError(.internalServerError) }
            while catalogue.state.withLock({ $0.heldBack.contains(id) || answer == nil && $0.isStalling }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            guard let json = answer else { throw Problem(.notFound, "event_not_found") }
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: json)))
        }
        // Its end is that of the task, which it would report as an error.
        var silent = testLogger
        silent.logLevel = .critical
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: silent)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try? await application.runService()
                return nil
            }
            defer { group.cancelAll() }
            guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
            return try await body(URL(string: "http://127.0.0.1:\(port)")!)
        }
    }
}
