package import AsyncHTTPClient
package import Foundation
import JWTKit
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix

/// The keys of a JSON Web Key Set at an address, kept, and fetched anew when they are old or lack a key that is asked for.
///
/// One fetch at a time. When one fails, the keys of the last stay in use, and it is tried again soon.
package actor FetchedKeys {
    package struct Unavailable: Error {}

    package static let maxBytes = 64 * 1024
    package static let maxWait = TimeAmount.seconds(5)
    /// So that tokens with invented key ids can't make us hammer the address.
    package static let minIntervalMs: Int64 = 30_000
    /// After a fetch that failed.
    package static let retryIntervalMs: Int64 = 2_000
    package static let maxAgeMs: Int64 = 600_000

    nonisolated let verified = VerifiedTokens()
    private let url: URL
    private let client: HTTPClient
    private let logger: Logger
    /// Milliseconds of a clock that only goes forward.
    private let now: @Sendable () -> Int64
    private var keys: VerifyingKeys?
    private var triedAt: Int64?
    private var fetchedAt: Int64?
    private var fetching: Task<Void, Never>?
    private let maxWait: TimeAmount
    package private(set) var fetches = 0

    static func accepts(_ url: URL) -> Bool {
        switch url.scheme {
        case "http", "https": url.host()?.isEmpty == false
        case "file": url.path().hasPrefix("/")
        default: false
        }
    }

    /// - Parameter url: http, https or file.
    package init(
        url: URL, client: HTTPClient = .shared, maxWait: TimeAmount = FetchedKeys.maxWait, logger: Logger,
        now: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
    ) {
        self.url = url
        self.client = client
        self.maxWait = maxWait
        self.logger = logger
        self.now = now
    }

    /// - Throws: `Unavailable` while no key set has ever been had.
    func key(_ id: String) async throws -> (any JWTAlgorithm)? {
        let wanted = keys?.key(id)
        let now = now()
        let hasFailed = triedAt != fetchedAt
        let mayTry = triedAt.map { now - $0 >= (hasFailed ? Self.retryIntervalMs : Self.minIntervalMs) } ?? true
        let isOld = fetchedAt.map { now - $0 >= Self.maxAgeMs } ?? true
        if fetching == nil, mayTry, isOld || wanted == nil { refresh() }
        // A key that is known does not wait for its successors.
        if wanted != nil, !isOld { return wanted }
        await fetching?.value
        guard let keys else { throw Unavailable() }
        return keys.key(id)
    }

    private func refresh() {
        let begun = now()
        triedAt = begun
        fetches += 1
        fetching = Task {
            do {
                keys = try await VerifyingKeys(keySet: fetch())
                fetchedAt = begun
            } catch {
                logger.warning("keys could not be fetched", metadata: ["url": "\(url)", "error": "\(error)"])
            }
            fetching = nil
        }
    }

    private func fetch() async throws -> [UInt8] {
        if url.isFileURL {
            let path = url.path
            return try await NIOThreadPool.singleton.runIfActive {
                let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? file.close() }
                let bytes = try file.read(upToCount: Self.maxBytes + 1) ?? Data()
                guard bytes.count <= Self.maxBytes else { throw VerifyingKeys.Invalid.tooLarge }
                return Array(bytes)
            }
        }
        let response = try await client.execute(HTTPClientRequest(url: url.absoluteString), timeout: maxWait)
        guard response.status == .ok else { throw Unavailable() }
        let body = try await response.body.collect(upTo: Self.maxBytes)
        return Array(body.readableBytesView)
    }
}
