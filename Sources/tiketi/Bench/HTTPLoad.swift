import Foundation
import NIOCore
import NIOPosix

/// Load in a closed loop: each connection sends its next request when the last one is answered.
///
/// All connections share one thread, so that the cores are the server's. Requests are bytes made beforehand.
struct HTTPLoad: Sendable {
    struct Result: Sendable {
        var latencies = Latencies()
        /// Answers in the measured time that were not 2xx; these are in no latency.
        var refused = 0
        /// 2xx answers of the warm-up too.
        var accepted = 0
        var seconds = 0.0

        var perSecond: Double { Double(latencies.count) / seconds }

        static func + (left: Result, right: Result) -> Result {
            var sum = left
            sum.latencies.merge(right.latencies)
            sum.refused += right.refused
            sum.accepted += right.accepted
            return sum
        }
    }

    struct ConnectionLost: Error, CustomStringConvertible {
        let description = "the server closed a connection under load"
    }

    /// Beyond the measured time, for the last answers.
    static let maxAnswerTime: Duration = .seconds(30)

    var port: Int
    var connections = 64
    var warmUp: Duration = .seconds(1)
    var measured: Duration
    /// Each connection starts at another and takes them in turn.
    var requests: [ByteBuffer]

    /// A request as it goes over the wire.
    static func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) -> ByteBuffer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty { head += "Content-Length: \(body.count)\r\n" }
        var buffer = ByteBuffer(string: head + "\r\n")
        buffer.writeBytes(body)
        return buffer
    }

    func run() async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let result = try await run(on: group)
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func run(on group: MultiThreadedEventLoopGroup) async throws -> Result {
        let start = NIODeadline.now()
        let from = start + TimeAmount(warmUp)
        let to = from + TimeAmount(measured)
        let loop = group.next()
        var tallies: [EventLoopFuture<Result>] = []
        for number in 0..<connections {
            let tally = loop.makePromise(of: Result.self)
            tallies.append(tally.futureResult)
            do {
                _ = try await ClientBootstrap(group: loop)
                    .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { [requests, connections] channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                HTTPLoadHandler(
                                    requests: requests, first: number * (requests.count / connections + 1),
                                    from: from, to: to, tally: tally))
                        }
                    }
                    .connect(host: "127.0.0.1", port: port).get()
            } catch {
                tally.fail(error)
            }
        }
        loop.scheduleTask(deadline: to + TimeAmount(Self.maxAnswerTime)) {
            // Whoever still waits for an answer waits no more.
            group.shutdownGracefully { _ in }
        }
        let all = EventLoopFuture.reduce(Result(), tallies, on: loop, +)
        return try await withTaskCancellationHandler {
            var result = try await all.get()
            result.seconds = measured.inSeconds
            return result
        } onCancel: {
            group.shutdownGracefully { _ in }
        }
    }
}
