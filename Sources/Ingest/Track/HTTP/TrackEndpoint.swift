import Foundation
package import NIOCore
package import NIOPosix
package import Platform
import Synchronization

/// What all connections of the track endpoint share.
package final class TrackEndpoint: Sendable {
    /// Compressed bodies from here on are inflated and decoded on the thread pool: such a few bytes can become
    /// `maxInflatedBytes`, and an event loop has other connections to serve.
    static let maxInlineGzipBytes = 8 * 1024

    let settings: TrackSettings
    let metrics: TrackMetrics
    let threadPool: NIOThreadPool
    let rateLimit: RateLimit?
    let now: @Sendable () -> Int64
    /// Makes records durable, as `Spool.append` does. The completion runs on any thread.
    package typealias Append =
        @Sendable (
            _ records: BeaconRecords, _ durability: Durability, _ lane: Spool.Lane,
            _ completion: @escaping Spool.Completion
        ) -> Void

    let append: Append
    private let salts: Mutex<SaltSource>
    /// By event loop; asked for once a connection.
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<TrackLoop>]>([:])

    /// - Parameters:
    ///   - threadPool: started; its queue is bounded by `maxInFlightBytes`.
    ///   - now: milliseconds since 1970.
    package convenience init(
        settings: TrackSettings, spool: Spool, salts: SaltSource, metrics: Metrics, threadPool: NIOThreadPool,
        now: @escaping @Sendable () -> Int64 = TrackEndpoint.wallClock
    ) {
        self.init(
            settings: settings, salts: salts, metrics: metrics, threadPool: threadPool, now: now,
            append: { spool.append($0, until: $1, lane: $2, completion: $3) })
    }

    package init(
        settings: TrackSettings, salts: SaltSource, metrics: Metrics, threadPool: NIOThreadPool,
        now: @escaping @Sendable () -> Int64, append: @escaping Append
    ) {
        self.settings = settings
        self.metrics = TrackMetrics(metrics)
        self.threadPool = threadPool
        self.now = now
        self.append = append
        self.salts = Mutex(salts)
        rateLimit = settings.ratePerClient > 0 ? RateLimit(perSecond: settings.ratePerClient) : nil
    }

    package static let wallClock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Takes the salts of coming days.
    package func update(salts: SaltSource) {
        self.salts.withLock { $0 = salts }
    }

    func salt(at receivedAt: Int64) -> [UInt8] {
        salts.withLock { $0 }.salt(at: receivedAt)
    }

    /// Adds the endpoint to a pipeline that `HTTPServerPipeline` configured: at its end, and at its head for plain
    /// requests. On the channel's event loop.
    package func addHandlers(to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let loop = loop(of: channel.eventLoop)
        try pipeline.addHandler(TrackHandler(self, loop))
        let plain = PlainTrackHandler(loop, watch: try pipeline.handler(type: IdleConnectionHandler.self))
        try pipeline.addHandler(plain, position: .first)
    }

    private func loop(of eventLoop: any EventLoop) -> TrackLoop {
        loops.withLock { loops in
            if let loop = loops[ObjectIdentifier(eventLoop)] { return loop.value }
            let loop = TrackLoop(self, eventLoop)
            loops[ObjectIdentifier(eventLoop)] = NIOLoopBound(loop, eventLoop: eventLoop)
            return loop
        }
    }
}
