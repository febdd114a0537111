import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A JSON document at an address, kept for as long as its `Cache-Control` allows. One fetch at a time.
actor FetchedDocument<Value: Sendable> {
    struct Unavailable: Error {}

    static var maxBytes: Int { 64 * 1024 }
    static var maxSeconds: Int64 { 5 }
    /// So that nobody can make us hammer the address.
    static var minIntervalMs: Int64 { 10_000 }
    /// After a fetch that failed.
    static var retryIntervalMs: Int64 { 1000 }

    private let client: HTTPClient
    /// Milliseconds of a clock that only goes forward.
    private let now: @Sendable () -> Int64
    private let parse: @Sendable ([UInt8]) async throws -> Value
    private var value: Value?
    private var address: String?
    private var freshUntil = Int64.min
    private var triedAt: Int64?
    private var hasFailed = false
    private var fetching: Task<Value, any Error>?
    private(set) var fetches = 0

    init(
        client: HTTPClient, now: @escaping @Sendable () -> Int64,
        parse: @escaping @Sendable ([UInt8]) async throws -> Value
    ) {
        self.client = client
        self.now = now
        self.parse = parse
    }

    /// - Parameter isEnough: whether what is kept will do; where it won't, it is fetched anew, but not at once again.
    func value(at address: String, isEnough: @Sendable (Value) -> Bool = { _ in true }) async throws -> Value {
        if address == self.address, let value {
            let now = now()
            let isFresh = now < freshUntil
            if isFresh, isEnough(value) { return value }
            if isFresh, let triedAt, now - triedAt < Self.minIntervalMs { return value }
        } else if address != self.address {
            (value, triedAt, hasFailed) = (nil, nil, false)
            self.address = address
        }
        if let fetching { return try await fetching.value }
        // What is no more fresh is not used: a key may have been withdrawn.
        if hasFailed, let triedAt, now() - triedAt < Self.retryIntervalMs { throw Unavailable() }
        triedAt = now()
        hasFailed = true
        fetches += 1
        let task = Task { try await self.fetch(address) }
        fetching = task
        defer { fetching = nil }
        return try await task.value
    }

    private func fetch(_ address: String) async throws -> Value {
        let begun = now()
        let response = try await client.execute(HTTPClientRequest(url: address), timeout: .seconds(Self.maxSeconds))
        guard response.status == .ok else { throw Unavailable() }
        let body = try await response.body.collect(upTo: Self.maxBytes)
        let fetched = try await parse(Array(body.readableBytesView))
        let seconds = CacheControl.seconds(
            response.headers.first(name: "cache-control"), age: response.headers.first(name: "age"))
        value = fetched
        hasFailed = false
        freshUntil = begun + seconds * 1000
        return fetched
    }
}
