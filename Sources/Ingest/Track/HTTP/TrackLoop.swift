import NIOCore
import NIOHTTP1
import Platform
import Storage

/// One event loop's part of the track endpoint: what its connections take during one turn of the loop goes to the spool
/// in one piece, and word of it comes back in one. A hop between threads costs more than a beacon.
///
/// On its event loop only.
final class TrackLoop {
    /// What waits for the end of the turn is handed over earlier beyond this.
    static let maxTurnBytes = 256 << 10

    /// Artists whose rate is known; beyond them some are forgotten.
    static let maxArtists = 4096

    /// A connection whose request waits for the disk.
    protocol Connection: AnyObject {
        /// - Parameter request: the number it gave.
        func complete(_ request: UInt64, beacons: Int, _ result: Result<Durability, SpoolRefusal>)
    }

    private struct Waiter {
        var connection: any Connection
        var request: UInt64
        var beacons: Int
    }

    /// It owns the loop; each connection and each closure here keeps it.
    unowned let endpoint: TrackEndpoint
    private var date = HTTPDate()
    /// The usual answer, and what it was made of.
    private var usual: (answer: ByteBuffer, beacons: Int, date: String)?
    private let eventLoop: any EventLoop
    /// Its records are what this turn has for the normal lane.
    private var decoder = TrackDecoder()
    /// For requests that go to the spool by themselves. Its scratch space grows to what the largest beacon took: a
    /// decoder for each connection would keep that for each of them.
    var spareDecoder = TrackDecoder()
    private var waiters: [Waiter] = []
    private var overflow = (records: BeaconRecords(), waiters: [Waiter]())
    private var hotArtists: TokenBuckets?
    private var isTurnOpen = false
    private var receivedAt: Int64 = 0
    private var salt: [UInt8] = []
    private var bodyBytes = 0
    private var answered = 0

    init(_ endpoint: TrackEndpoint, _ eventLoop: any EventLoop) {
        self.endpoint = endpoint
        self.eventLoop = eventLoop
        if endpoint.settings.hotArtistRate > 0 {
            hotArtists = TokenBuckets(perSecond: endpoint.settings.hotArtistRate, maxKeys: Self.maxArtists)
        }
    }

    /// Takes a request's beacons if all are valid, and there is room for them, and the client may: `connection` is told
    /// once they are on disk. False, and nothing has happened, where there is more to say than that.
    func take(
        _ body: UnsafeRawBufferPointer, from client: ClientAddress, userAgent: String?, isPrivate: Bool,
        for connection: some Connection, request: UInt64
    ) -> Bool {
        if Gzip.isGzip(body) { return false }
        openTurn()
        let receipt = Receipt(
            receivedAt: receivedAt, clientAddress: client.text, userAgent: userAgent, isPrivate: isPrivate,
            salt: salt)
        guard let outcome = try? decoder.decode(body, receipt) else { return false }
        guard outcome.rejectedCount == 0, outcome.acceptedCount > 0,
            endpoint.metrics.inFlightBytes.value + decoder.records.bytes.count + overflow.records.bytes.count
                <= endpoint.settings.maxInFlightBytes,
            // Last: who is refused elsewhere is asked for a token there.
            endpoint.rateLimit?.take(client.rateKey, nowNs: Int64(NIODeadline.now().uptimeNanoseconds)) == nil
        else {
            decoder.undo()
            return false
        }
        bodyBytes += body.count
        let waiter = Waiter(connection: connection, request: request, beacons: outcome.acceptedCount)
        switch lane(of: outcome) {
        case .normal: waiters.append(waiter)
        case .overflow:
            decoder.move(to: &overflow.records)
            overflow.waiters.append(waiter)
        }
        if decoder.records.bytes.count + overflow.records.bytes.count >= Self.maxTurnBytes { handOver() }
        return true
    }

    /// The lane for what a request brings. By the artist of its first beacon: a page's beacons are of one artist.
    func lane(of outcome: TrackOutcome) -> Spool.Lane {
        guard let artist = outcome.artist,
            hotArtists?.take(
                artist, tokens: outcome.acceptedCount, nowNs: Int64(NIODeadline.now().uptimeNanoseconds)) != nil
        else { return .normal }
        endpoint.metrics.overflow.increment(by: outcome.acceptedCount)
        return .overflow
    }

    // MARK: Answers

    func accepted(_ beacons: Int, origin: String?, keepsAlive: Bool) -> ByteBuffer {
        let date = date.text(at: receivedAt)
        let isUsual = origin == nil && keepsAlive
        answered += 1
        if isUsual, let usual, usual.beacons == beacons, usual.date == date { return usual.answer }
        let answer = Answer(
            .accepted, contentType: "application/json", body: TrackOutcome.answerBody(accepted: beacons))
        let bytes = serialized(answer, origin, keepsAlive)
        if isUsual { usual = (bytes, beacons, date) }
        return bytes
    }

    func refused(_ refusal: SpoolRefusal, path: String, origin: String?, keepsAlive: Bool) -> ByteBuffer {
        let answer = Answer(.track(refusal), instance: path)
        endpoint.metrics.countResponse(Int(answer.status.code))
        return serialized(answer, origin, keepsAlive)
    }

    private func serialized(_ answer: Answer, _ origin: String?, _ keepsAlive: Bool) -> ByteBuffer {
        answer.serialized(
            date: date.text(at: endpoint.now()), more: endpoint.settings.cors.headers(origin: origin),
            keepsAlive: keepsAlive)
    }

    // MARK: Turns

    private func openTurn() {
        guard !isTurnOpen else { return }
        isTurnOpen = true
        receivedAt = endpoint.now()
        salt = endpoint.salt(at: receivedAt)
        // Runs once all that the loop found to do is done.
        eventLoop.assumeIsolated().execute { [endpoint] in
            withExtendedLifetime(endpoint) {
                self.isTurnOpen = false
                self.handOver()
            }
        }
    }

    private func handOver() {
        endpoint.metrics.receivedBytes.increment(by: bodyBytes)
        bodyBytes = 0
        if !waiters.isEmpty {
            handOver(decoder.takeRecords(), waiters, .normal)
            waiters = []
        }
        if !overflow.waiters.isEmpty {
            handOver(overflow.records, overflow.waiters, .overflow)
            overflow = (BeaconRecords(), [])
        }
    }

    private func handOver(_ records: BeaconRecords, _ waiters: [Waiter], _ lane: Spool.Lane) {
        let since = NIODeadline.now()
        let bytes = records.bytes.count
        endpoint.metrics.inFlightBytes.add(bytes)
        let group = NIOLoopBound((loop: self, waiters: waiters), eventLoop: eventLoop)
        endpoint.append(records, .onDisk, lane) { [eventLoop, endpoint] result in
            eventLoop.execute {
                let (loop, waiters) = group.value
                endpoint.metrics.inFlightBytes.add(-bytes)
                loop.complete(waiters, result, since: since)
            }
        }
    }

    private func complete(_ waiters: [Waiter], _ result: Result<Durability, SpoolRefusal>, since: NIODeadline) {
        let metrics = endpoint.metrics
        if case .success = result {
            // Counted also where a client has gone: its beacons are in.
            metrics.accepted.increment(by: waiters.reduce(0) { $0 + $1.beacons })
            metrics.answerSeconds.observe(Double((NIODeadline.now() - since).nanoseconds) / 1e9, count: waiters.count)
        }
        for waiter in waiters { waiter.connection.complete(waiter.request, beacons: waiter.beacons, result) }
        metrics.countResponse(202, by: answered)
        answered = 0
    }
}

@available(*, unavailable)
extension TrackLoop: Sendable {}
