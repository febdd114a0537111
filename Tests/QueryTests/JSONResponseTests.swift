import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct JSONResponseTests {
    private func withAPI(
        _ body:
            @escaping @Sendable (Lab, @escaping @Sendable (String, HTTPFields) async throws -> TestResponse)
            async throws -> Void
    ) async throws {
        let key = SigningKey.generate()
        let token = try await key.mint(
            audience: [.analytics], subject: "kim", role: .analyst, lifetimeSeconds: 600,
            now: Int64(Date().timeIntervalSince1970))
        try await Lab.with { lab in
            let api = QueryAPI(
                engine: lab.engine, verifier: TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics),
                metrics: Metrics())
            let router = Router()
            router.add(middleware: ProblemMiddleware())
            api.addRoutes(to: router)
            try await Application(router: router).test(.router) { client in
                try await body(lab) { path, fields in
                    var headers = fields
                    headers[.authorization] = "Bearer \(token)"
                    return try await client.execute(uri: path, method: .get, headers: headers)
                }
            }
        }
    }

    private static let path = "/api/analytics/traffic?startDate=2025-12-01&endDate=2025-12-02"

    @Test func theSameNumbersAreNotSentAgain() async throws {
        try await withAPI { lab, get in
            try await lab.traffic(.site, .day, "2025-12-01", views: 3)
            let first = try await get(Self.path, [:])
            let tag = try #require(first.headers[.eTag])
            #expect(tag.wholeMatch(of: /W\/"[0-9a-f]{16}"/) != nil)
            #expect(first.headers[.vary] == "Accept-Encoding")
            for known in [tag, "\"other\", \(tag)", String(tag.dropFirst(2)), "*"] {
                let again = try await get(Self.path, [.ifNoneMatch: known])
                #expect(again.status == .notModified, "\(known)")
                #expect(again.body.readableBytes == 0)
                #expect(again.headers[.eTag] == tag)
                #expect(again.headers[.cacheControl] == "private, max-age=1")
            }
            // How fresh it is may have changed: the numbers, and so the copy, are as good.
            try await lab.shipped("n", through: "2025-12-03T00:00:00Z")
            let later = try await get(Self.path, [:])
            #expect(String(buffer: later.body) != String(buffer: first.body))
            #expect(later.headers[.eTag] == tag)
            // Complete or not is no matter of moments.
            try await lab.shipped("m", through: "2025-12-02T00:00:00Z")
            #expect(try await get(Self.path, [.ifNoneMatch: tag]).status == .ok)
            try await lab.traffic(.site, .day, "2025-12-02", views: 1)
            let changed = try await get(Self.path, [.ifNoneMatch: tag])
            #expect(changed.status == .ok)
            #expect(changed.headers[.eTag] != tag)
        }
    }

    @Test func longAnswersAreCompressedForWhoCanReadThem() async throws {
        try await withAPI { _, get in
            let long = "/api/analytics/traffic?startDate=2025-10-01&endDate=2025-12-02"
            let plain = try await get(long, [:])
            #expect(plain.headers[.contentEncoding] == nil)
            let packed = try await get(long, [.acceptEncoding: "br, gzip;q=0.8"])
            #expect(packed.headers[.contentEncoding] == "gzip")
            #expect(packed.headers[.contentType] == "application/json")
            #expect(packed.headers[.eTag] == plain.headers[.eTag])
            let bytes = Array(packed.body.readableBytesView)
            #expect(bytes.count < plain.body.readableBytes / 4)
            let inflated = try bytes.withUnsafeBytes { try Gzip.inflate($0, maxBytes: 1 << 20) }
            #expect(inflated == Array(plain.body.readableBytesView))
            // One that fits into a packet is sent as it is.
            let short = try await get(Self.path, [.acceptEncoding: "gzip"])
            #expect(short.headers[.contentEncoding] == nil)
            #expect(short.body.readableBytes < JSONResponse.minGzipBytes)
        }
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP", true), ("br;q=1.0, gzip;q=0.5", true), ("*", true), ("x-gzip", true), ("", false),
        ("br, deflate", false), ("gzip;q=0", false), ("gzip; q=0.000", false), ("gzip;q=0.001", true),
        ("*, gzip;q=0", false), ("gzip;q=0, *", false), ("*;q=0", false), ("identity", false),
    ])
    func whetherGzipIsWelcomeIsSaidByTheClient(_ accepted: String, _ isWelcome: Bool) {
        #expect(JSONResponse.acceptsGzip(accepted) == isWelcome)
    }
}
