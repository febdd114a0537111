import Core
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOPosix
import Platform

@testable import Ingest

/// What a client sends, in pieces whose length the first byte tells: the plain way and NIO's parser answer the same, and
/// take the same beacons.
enum FuzzConnection {
    /// 2026-03-01T00:00:00Z
    private static let receivedAt: Int64 = 1_772_323_200_000
    /// A field name that the plain way leaves to the parser: from then on its connection goes the other way.
    private static let first = "GET /health HTTP/1.1\r\nHost: t\r\n"

    static func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let size = bytes.first, bytes.count < TrackEndpoint.maxInlineGzipBytes else { return }
        let stream = Array(bytes.dropFirst())
        let pieceBytes = size == 0 ? max(1, stream.count) : Int(size)
        let plain = try answers(to: stream, by: pieceBytes, after: "\(first)\r\n")
        let parsed = try answers(to: stream, by: pieceBytes, after: "\(first)X.Unusual: 1\r\n\r\n")
        precondition(plain.text == parsed.text, "\(shown(plain.text))\nand\n\(shown(parsed.text))")
        precondition(plain.records == parsed.records, "took different beacons")
    }

    /// Without NUL, which ends a message.
    private static func shown(_ answers: [UInt8]) -> String {
        String(decoding: answers.filter { $0 != 0 }, as: UTF8.self)
    }

    private static func answers(
        to stream: [UInt8], by pieceBytes: Int, after first: String
    ) throws -> (text: [UInt8], records: [UInt8]) {
        let taken = NIOLockedValueBox<[UInt8]>([])
        var settings = TrackSettings()
        settings.maxBodyBytes = 1024
        let endpoint = TrackEndpoint(
            settings: settings,
            salts: SaltSource(calendar: .seoul, days: [:], fallback: [UInt8](repeating: 7, count: 32)),
            metrics: Metrics(), threadPool: .singleton, now: { receivedAt },
            append: { records, durability, _, completion in
                taken.withLockedValue { $0 += records.bytes }
                completion(.success(.onDisk))
                if durability == .stored { completion(.success(.stored)) }
            })
        let channel = EmbeddedChannel()
        try HTTPServerPipeline.configure(channel, idleMax: .seconds(60), requestMax: .seconds(60))
        try endpoint.addHandlers(to: channel)
        try channel.pipeline.syncOperations.addHandler(IngestTailHandler(metrics: Metrics(), isReady: { true }))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        var answers = try send([UInt8](first.utf8), to: channel)
        let start = answers.count
        for begin in stride(from: 0, to: stream.count, by: pieceBytes) where channel.isActive {
            answers += try send(Array(stream[begin..<min(stream.count, begin + pieceBytes)]), to: channel)
        }
        if channel.isActive {
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            answers += try outbound(of: channel)
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        // Some dates are made by the clock on the wall.
        let lines = answers[start...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return (
            Array(lines.filter { !$0.starts(with: "Date: ".utf8) }.joined(separator: [UInt8(ascii: "\n")])),
            taken.withLockedValue { $0 }
        )
    }

    private static func send(_ bytes: [UInt8], to channel: EmbeddedChannel) throws -> [UInt8] {
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelReadComplete()
        return try outbound(of: channel)
    }

    private static func outbound(of channel: EmbeddedChannel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        channel.embeddedEventLoop.run()
        while let part = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let buffer) = part { bytes += buffer.readableBytesView }
        }
        return bytes
    }
}
