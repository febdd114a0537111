import Foundation
import NIOHTTP1
import Platform
import Testing

/// What nobody means well by, at every route and in every place that its document names: no answer may be 5xx, tell of
/// anything but a problem, or do what was asked.
@Suite(.timeLimit(.minutes(10))) struct HostileRequestTests {
    private typealias Members = [String: Any]

    /// A request, and what may be answered.
    private struct Probe: Sendable {
        var what: String
        var route: String
        var method: String
        var path: String
        var body: String?
        var headers: HTTPHeaders = [:]
        var type = "application/json"
        var person: AuthorizationTable.Person
        /// Nil: anything but 5xx.
        var allowed: ClosedRange<Int>?
        /// The member that the problem must name.
        var field: String?
    }

    static let maxAtOnce = 8
    private static let brokenUTF8 = "%ff%fe"
    /// Percent-encoded, in paths and queries: NUL, line ends, SQL, broken UTF-8, other folders, much.
    private static let encoded = [
        "%00", "a%00b", "%0d%0aX-Injected:%201", "%27%20OR%20%271%27=%271", "1;%20DROP%20TABLE%20users--", brokenUTF8,
        "..%2f..%2f..%2fetc%2fpasswd", "%22%3E%3Cscript%3E", "%F0%9F%8E%AB", String(repeating: "a", count: 5000),
    ]
    private static let texts = [
        "\u{0}", "a\u{0}b", "a\r\nX-Injected: 1", "' OR '1'='1", "\"; DROP TABLE users; --", "<script>", "${7*7}",
        "../../etc/passwd", String(repeating: "가", count: 20_000),
    ]
    private static let extras = [
        "role", "id", "userId", "amount", "state", "verified", "emailVerified", "price", "__proto__",
    ]
    private static let headers = [
        "Idempotency-Key", "X-Forwarded-For", "If-None-Match", "Cookie", "X-Tiketi-Request", "Origin", "Accept",
    ]

    /// One shop for all, as it takes seconds to open.
    @Test func noRequestIsAnsweredButByWhatItMayHaveOrAProblem() async throws {
        try await ShopUnderTest.run { shop in
            try await extraMembers(shop)
            try await wrongTypesAndHostileTexts(shop)
            try await bodiesThatAreNoneOfOurs(shop)
            try await hostilePathsQueriesAndHeaders(shop)
            try await controlCharacters(shop)
        }
    }

    // MARK: Bodies

    /// Mass assignment: what a body may not have is refused by name, so that it has no effect.
    private func extraMembers(_ shop: ShopUnderTest) async throws {
        var probes: [Probe] = []
        for (operation, sample, document) in try await bodies(shop) {
            guard let schema = operation.bodySchema, document.types(schema) == ["object"] else { continue }
            for (place, object) in Self.objects(in: sample) {
                let known = Self.schema(at: place, of: schema, document)
                for name in Self.extras where document.property(name, of: known) == nil {
                    var changed = object
                    changed[name] = "admin"
                    let body = Self.replacing(place, in: sample, with: changed)
                    var probe = try await probe("extra \(place)\(name)", operation, shop, body: body)
                    probe.allowed = 422...422
                    probe.field = Self.text(of: place) + name
                    probes.append(probe)
                }
            }
        }
        #expect(probes.count > 200)
        try await run(probes, shop)
        let profile = try await shop.send("GET", "/api/users/profile", by: .owner).json
        #expect(profile["role"]?.text == "user" && profile["emailVerified"] == .bool(false))
    }

    private func wrongTypesAndHostileTexts(_ shop: ShopUnderTest) async throws {
        var probes: [Probe] = []
        let values: [(type: String, value: Any)] =
            [
                ("boolean", true), ("number", 12.5), ("number", 1e300), ("integer", Int64.max),
                ("integer", Int64.min), ("array", [Any]()), ("array", [["a"]]), ("object", Members()),
                ("object", ["$gt": ""]),
            ] + Self.texts.map { ("string", $0) }
        for (operation, sample, document) in try await bodies(shop) {
            guard let schema = operation.bodySchema, let object = sample as? Members else { continue }
            for name in object.keys.sorted() {
                let types = document.property(name, of: schema).flatMap(document.types)
                for (type, value) in values {
                    var changed = object
                    changed[name] = value
                    var probe = try await probe("\(name) as \(type) \(value)", operation, shop, body: changed)
                    let isWrong = types.map { !$0.contains(type) && !(type == "integer" && $0.contains("number")) }
                    let isNul = (value as? String)?.contains("\u{0}") == true
                    // Beacons are judged one by one, in an answer that takes the others.
                    if isWrong == true || isNul, !operation.path.hasSuffix("/track") { probe.allowed = 400...499 }
                    probes.append(probe)
                }
            }
        }
        try await run(probes, shop)
    }

    private func bodiesThatAreNoneOfOurs(_ shop: ShopUnderTest) async throws {
        var probes: [Probe] = []
        let large = #"{"name":""# + String(repeating: "a", count: 1_200_000) + #""}"#
        for (operation, sample, _) in try await bodies(shop) {
            func add(
                _ what: String, _ text: String, _ allowed: ClosedRange<Int>, type: String = "application/json"
            ) async throws {
                var probe = try await probe(what, operation, shop, body: nil)
                probe.body = text
                probe.type = type
                probe.allowed = allowed
                probes.append(probe)
            }
            try await add("large", large, 413...413)
            // A webhook is only a hint, kept whatever it says.
            if operation.path.hasSuffix("/webhook") { continue }
            let isTrack = operation.path.hasSuffix("/track")
            for text in ["{", "nul", #"{"a":}"#, #""text""#, "\u{0}", #"{"name":"\ud800"}"#] {
                try await add("no JSON object", text, isTrack ? 200...499 : 400...422)
            }
            try await add("deep", String(repeating: "[", count: 20_000), 400...400)
            if isTrack { continue }
            for text in ["[]", "1", "null"] { try await add("no object", text, 400...400) }
            try await add("another type", Self.json(sample), 415...415, type: "text/plain")
            try await add("a form", "a=b", 415...415, type: "application/x-www-form-urlencoded")
        }
        try await run(probes, shop)
    }

    // MARK: Paths, queries, headers

    private func hostilePathsQueriesAndHeaders(_ shop: ShopUnderTest) async throws {
        var probes: [Probe] = []
        for operation in try await shop.document().operations {
            let request = try await shop.request(operation.route)
            let plain = try await probe("", operation, shop, body: nil)
            var places = operation.parameters.filter { $0["in"] as? String == "query" }
                .compactMap { $0["name"] as? String }
            // One that isn't known.
            if places.isEmpty { places = ["x"] }
            let base = request.path.prefix { $0 != "?" }
            for value in Self.encoded {
                for name in places {
                    var probe = plain
                    probe.what = "query \(name)=\(value.prefix(40))"
                    probe.path = "\(base)?\(name)=\(value)"
                    probe.body = request.body
                    probes.append(probe)
                }
                // The client would send no path at all.
                let isSent = value != Self.brokenUTF8
                for name in Self.pathParameters(operation.path) where isSent {
                    var probe = plain
                    probe.what = "path \(name)=\(value.prefix(40))"
                    probe.path = operation.path.replacing("{\(name)}", with: value)
                        .replacing(/\{[A-Za-z]+\}/, with: "a")
                    probe.body = request.body
                    // Any text may be the name of an artist that nobody has seen: there is nothing to tell of it.
                    if !operation.path.hasPrefix("/api/analytics") { probe.allowed = 400...499 }
                    probes.append(probe)
                }
            }
            for value in ["' OR '1'='1", "%00%0d%0a", String(repeating: "a", count: 4000), "é\u{1F3AB}"] {
                var probe = plain
                probe.what = "headers: \(value.prefix(20))"
                probe.path = request.path
                probe.body = request.body
                for name in Self.headers { probe.headers.add(name: name, value: value) }
                probes.append(probe)
            }
        }
        try await run(probes.filter { !$0.path.hasPrefix("/api/analytics/realtime") }, shop)
    }

    /// What no client library sends.
    private func controlCharacters(_ shop: ShopUnderTest) async throws {
        for operation in try await shop.document().operations {
            let path = try await shop.request(operation.route).path
            for header in ["X-Test: a\u{0}b", "X-Test: a\rX-Injected: 1", "Cookie: a=\u{0}", "X\u{0}: a"] {
                let answer = try await RawRequest.send(
                    "\(operation.method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(header)\r\n"
                        + "Content-Length: 0\r\n\r\n", to: shop.address)
                #expect(
                    answer.hasPrefix("HTTP/1.1 400 "), "\(operation.route) \(header.debugDescription): \(answer)")
            }
            if !Self.pathParameters(operation.path).isEmpty {
                let place = operation.path.replacing(/\{[A-Za-z]+\}/, with: Self.brokenUTF8)
                let isInner = operation.path.hasPrefix("/internal/reservations")
                let person = try await probe("", operation, shop, body: nil).person
                let answer = try await RawRequest.send(
                    "\(operation.method) \(place) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer "
                        + (isInner ? shop.paymentsToken : shop.token(of: person)) + "\r\nContent-Length: 0\r\n\r\n",
                    to: shop.address)
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(operation.method) \(place): \(answer)")
            }
            for line in ["\(operation.method) \(path)\u{0} HTTP/1.1", "\(operation.method) \(path) x HTTP/1.1"] {
                let answer = try await RawRequest.send(
                    "\(line)\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", to: shop.address)
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(line.debugDescription): \(answer)")
            }
        }
    }

    // MARK: Probing

    private func run(_ probes: [Probe], _ shop: ShopUnderTest) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, probe) in probes.enumerated() {
                if index >= Self.maxAtOnce { try await group.next() }
                group.addTask { try await Self.run(probe, shop) }
            }
            try await group.waitForAll()
        }
        // It still serves, and has everything.
        #expect(try await shop.send("GET", "/ready", by: .nobody).status == 200)
        #expect(try await shop.send("GET", "/api/users/profile", by: .owner).status == 200)
    }

    private static func run(_ probe: Probe, _ shop: ShopUnderTest) async throws {
        let answer = try await shop.send(
            probe.method, probe.path, probe.body, by: probe.person, headers: probe.headers, type: probe.type)
        let what = "\(probe.route) \(probe.what): \(answer.status) \(answer.text.prefix(300))"
        #expect(answer.status < 500, "\(what)")
        if let allowed = probe.allowed { #expect(allowed.contains(answer.status), "\(what)") }
        if let field = probe.field { #expect(answer.json["field"]?.text == field, "\(what)") }
        #expect(answer.headers["X-Injected"].isEmpty, "\(what)")
        if answer.status >= 400 {
            #expect(answer.headers.first(name: "Content-Type") == "application/problem+json", "\(what)")
            #expect(answer.json["status"]?.integer == Int64(answer.status), "\(what)")
        }
    }

    /// Whose password changes, has to sign in again: the admin's is another than the sample's.
    private static let byAdmin: Set = ["PUT /api/users/password", "POST /api/users/google/unlink"]

    /// By the first person whom the table lets do it.
    private func probe(
        _ what: String, _ operation: ServedDocument.Operation, _ shop: ShopUnderTest, body: Any?
    ) async throws -> Probe {
        let row = try #require(AuthorizationTable.row(operation.route))
        let allowed = [.owner, .admin, .service].first { (200...299).contains(row.status($0)) } ?? .owner
        let person = Self.byAdmin.contains(operation.route) ? .admin : allowed
        let request = try await shop.request(operation.route)
        return Probe(
            what: String(what.prefix(100)), route: operation.route, method: operation.method, path: request.path,
            body: body.map(Self.json), headers: request.headers, person: person)
    }

    private func bodies(
        _ shop: ShopUnderTest
    ) async throws -> [(ServedDocument.Operation, sample: Any, ServedDocument)] {
        let document = try await shop.document()
        var bodies: [(ServedDocument.Operation, sample: Any, ServedDocument)] = []
        for operation in document.operations where operation.members["requestBody"] != nil {
            // Without Google's settings it is not there, whatever is sent.
            if AuthorizationTable.row(operation.route)?.statuses.allSatisfy({ $0 == 404 }) == true { continue }
            let text = try #require(try await shop.request(operation.route).body, "no sample for \(operation.route)")
            bodies.append((operation, try JSONSerialization.jsonObject(with: Data(text.utf8)), document))
        }
        return bodies
    }

    private static func json(_ value: Any) -> String {
        (try? JSONSerialization.data(withJSONObject: value, options: [.withoutEscapingSlashes])).map {
            String(decoding: $0, as: UTF8.self)
        } ?? "null"
    }

    private static func pathParameters(_ path: String) -> [String] {
        path.matches(of: /\{([A-Za-z]+)\}/).map { String($0.1) }
    }

    // MARK: Places in a JSON text

    private enum Step { case member(String), element(Int) }

    /// Each object in it, and where.
    private static func objects(in value: Any, at place: [Step] = []) -> [([Step], Members)] {
        switch value {
        case let object as Members:
            [(place, object)]
                + object.sorted { $0.key < $1.key }.flatMap { objects(in: $0.value, at: place + [.member($0.key)]) }
        case let array as [Any]:
            array.enumerated().flatMap { objects(in: $0.element, at: place + [.element($0.offset)]) }
        default: []
        }
    }

    private static func replacing(_ place: [Step], in value: Any, with other: Any) -> Any {
        guard let step = place.first else { return other }
        let rest = Array(place.dropFirst())
        switch step {
        case .member(let name):
            var object = value as? Members ?? [:]
            object[name] = replacing(rest, in: object[name] ?? [:], with: other)
            return object
        case .element(let index):
            var array = value as? [Any] ?? []
            array[index] = replacing(rest, in: array[index], with: other)
            return array
        }
    }

    private static func schema(at place: [Step], of schema: Members, _ document: ServedDocument) -> Members {
        place.reduce(schema) { schema, step in
            switch step {
            case .member(let name): document.property(name, of: schema) ?? [:]
            case .element: document.resolved(schema["items"] as? Members ?? [:])
            }
        }
    }

    /// As problems name it: `sections[0].rows[0].`
    private static func text(of place: [Step]) -> String {
        place.enumerated().map { index, step in
            switch step {
            case .member(let name): index == 0 ? name : ".\(name)"
            case .element(let number): "[\(number)]"
            }
        }.joined() + (place.isEmpty ? "" : ".")
    }
}
