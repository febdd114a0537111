import Foundation
import NIOCore
import NIOPosix

/// Buyers who book over HTTP, so many at a time: each with a connection to the services and one to the sandbox, kept
/// alive from buyer to buyer. All on one thread, so that the cores are the servers'.
struct BookingLoad {
    struct Result: Sendable {
        /// Holds that were granted.
        var held = Latencies()
        /// Holds that were refused with 409.
        var refused = Latencies()
        /// From the first wish to the ticket.
        var bookings = Latencies()
        var soldOut = 0
        var gaveUp = 0
        var serverErrors = 0
        /// Confirmations that were answered 202: somebody else went on with them.
        var answeredLater = 0
        /// What should not have happened to anybody; the first `maxFailures` texts.
        var failed = 0
        var failures: [String] = []
        var requests = 0
        /// From the start to the last ticket.
        var seconds = 0.0
        /// From the start until nobody wanted anything any more.
        var wholeSeconds = 0.0

        var tickets: Int { bookings.count }
    }

    static let maxFailures = 5
    /// Then whoever still waits has failed.
    static let maxDuration = TimeAmount.seconds(300)
    /// What `Retry-After` says of a payment that is under way.
    static let askLater = TimeAmount.seconds(2)

    let port: Int
    let sandboxPort: Int
    let eventId: String
    /// In the order of the layout.
    let seatIds: [String]
    let buyers: [Buyer]
    let connections: Int
    let seed: UInt64

    func run() async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.next()
            let crowd = try await loop.submit { NIOLoopBound(Crowd(loop, self), eventLoop: loop) }.get()
            var opened = 0
            while opened < connections {
                let count = min(PacedLoad.maxOpening, connections - opened)
                let opening = (0..<count).map { _ in
                    loop.flatSubmit {
                        let shopper = NIOLoopBound(Shopper(crowd.value, loop), eventLoop: loop)
                        return Self.connect(to: port, shopper, on: loop).and(
                            Self.connect(to: sandboxPort, shopper, on: loop)
                        ).map { channels in
                            shopper.value.shop = channels.0
                            shopper.value.sandbox = channels.1
                            crowd.value.shoppers.append(shopper.value)
                        }
                    }
                }
                _ = try await EventLoopFuture.whenAllSucceed(opening, on: loop).get()
                opened += count
            }
            let result = try await loop.flatSubmit { crowd.value.run() }.get()
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func connect(
        to port: Int, _ shopper: NIOLoopBound<Shopper>, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ShopperConnection(shopper.value))
                }
            }
            .connect(host: "127.0.0.1", port: port)
    }

    /// All who are there. Confined to its event loop.
    final class Crowd {
        fileprivate let load: BookingLoad
        fileprivate var random: SplitMix64
        fileprivate var result = Result()
        var shoppers: [Shopper] = []
        private let loop: any EventLoop
        private let done: EventLoopPromise<Result>
        private var next = 0
        private var underWay = 0
        private var isOver = false
        private var start = NIODeadline.now()

        init(_ loop: any EventLoop, _ load: BookingLoad) {
            self.loop = loop
            self.load = load
            random = SplitMix64(seed: load.seed)
            done = loop.makePromise()
        }

        func run() -> EventLoopFuture<Result> {
            start = .now()
            loop.assumeIsolated().scheduleTask(in: BookingLoad.maxDuration) {
                guard !self.isOver else { return }
                self.fail("\(self.underWay) buyers were still waiting", count: self.underWay)
                self.end()
            }
            for shopper in shoppers { begin(shopper) }
            if underWay == 0 { end() }
            return done.futureResult
        }

        private func begin(_ shopper: Shopper) {
            guard next < load.buyers.count else { return }
            underWay += 1
            next += 1
            shopper.begin(load.buyers[next - 1])
        }

        func ended(_ shopper: Shopper, _ end: Buyer.End, since begun: NIODeadline) {
            guard !isOver else { return }
            underWay -= 1
            switch end {
            case .ticket:
                let now = NIODeadline.now()
                result.bookings.add(ns: UInt64((now - begun).nanoseconds))
                result.seconds = Double((now - start).nanoseconds) / 1e9
            case .soldOut: result.soldOut += 1
            case .gaveUp: result.gaveUp += 1
            case .failed(let what): fail(what, count: 1)
            }
            begin(shopper)
            if underWay == 0 { self.end() }
        }

        /// A connection was closed.
        func lost(_ shopper: Shopper, hadBuyer: Bool) {
            guard !isOver else { return }
            shoppers.removeAll { $0 === shopper }
            if hadBuyer {
                underWay -= 1
                fail("the server closed a connection", count: 1)
            }
            if underWay == 0 { end() }
        }

        private func fail(_ what: String, count: Int) {
            result.failed += count
            if result.failures.count < BookingLoad.maxFailures { result.failures.append(what) }
        }

        private func end() {
            isOver = true
            let unserved = load.buyers.count - next
            if unserved > 0 { fail("\(unserved) buyers never had their turn", count: unserved) }
            result.wholeSeconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
            done.succeed(result)
        }
    }

    /// Two connections, and the buyer who has them now.
    final class Shopper {
        var shop: (any Channel)?
        var sandbox: (any Channel)?
        private let crowd: Crowd
        private let loop: any EventLoop
        private var buyer: Buyer?
        private var begun = NIODeadline.now()
        private var askedAt = NIODeadline.now()
        private var isLost = false

        init(_ crowd: Crowd, _ loop: any EventLoop) {
            self.crowd = crowd
            self.loop = loop
        }

        func begin(_ buyer: Buyer) {
            self.buyer = buyer
            begun = .now()
            ask()
        }

        private func ask() {
            guard let buyer else { return }
            askedAt = .now()
            crowd.result.requests += 1
            let channel = buyer.request == .authentication ? sandbox : shop
            channel?.writeAndFlush(crowd.load.bytes(of: buyer), promise: nil)
        }

        func answered(_ status: Int, _ body: UnsafeRawBufferPointer) {
            guard var buyer else { return }
            let took = UInt64((NIODeadline.now() - askedAt).nanoseconds)
            if case .hold = buyer.request {
                if status == 201 { crowd.result.held.add(ns: took) }
                if status == 409 { crowd.result.refused.add(ns: took) }
            }
            if status >= 500 { crowd.result.serverErrors += 1 }
            if status == 202 { crowd.result.answeredLater += 1 }
            let step = buyer.answered(status, body, using: &crowd.random)
            self.buyer = buyer
            switch step {
            case .ask: ask()
            case .askLater: loop.assumeIsolated().scheduleTask(in: BookingLoad.askLater) { self.ask() }
            case .end(let end):
                self.buyer = nil
                crowd.ended(self, end, since: begun)
            }
        }

        func lose() {
            guard !isLost else { return }
            isLost = true
            crowd.lost(self, hadBuyer: buyer != nil)
            buyer = nil
        }
    }

    fileprivate func bytes(of buyer: Buyer) -> ByteBuffer {
        func post(_ path: String, _ json: String) -> ByteBuffer {
            HTTPLoad.request(
                "POST", path,
                headers: [("Authorization", "Bearer \(buyer.token)"), ("Content-Type", "application/json")],
                body: Array(json.utf8))
        }
        func get(_ path: String) -> ByteBuffer {
            HTTPLoad.request("GET", path, headers: [("Authorization", "Bearer \(buyer.token)")])
        }
        switch buyer.request {
        case .hold(let seat):
            return post("/api/reservations", #"{"eventId":"\#(eventId)","seatIds":["\#(seatIds[seat])"]}"#)
        case .seatMap: return get("/api/seats/event/\(eventId)?view=availability")
        case .order: return post("/api/payments/toss/request", #"{"reservationId":"\#(buyer.reservationId)"}"#)
        case .authentication:
            return HTTPLoad.request(
                "POST", "/sandbox/payments", headers: [("Content-Type", "application/json")],
                body: Array(#"{"orderId":"\#(buyer.orderId)","amount":\#(buyer.amount)}"#.utf8))
        case .confirmation:
            return post(
                "/api/payments/toss/confirm",
                #"{"paymentKey":"\#(buyer.paymentKey)","orderId":"\#(buyer.orderId)","amount":\#(buyer.amount)}"#)
        case .payment: return get("/api/payments/\(buyer.paymentId)")
        }
    }
}

/// One of a shopper's connections.
final class ShopperConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let shopper: BookingLoad.Shopper
    private var pending = ByteBuffer()

    init(_ shopper: BookingLoad.Shopper) { self.shopper = shopper }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = Self.unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = part } else { pending.writeBuffer(&part) }
        let whole = pending
        whole.withUnsafeReadableBytes { bytes in
            guard let answer = HTTPAnswer(bytes) else { return }
            pending = ByteBuffer()
            shopper.answered(answer.status, UnsafeRawBufferPointer(rebasing: bytes[answer.body...]))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { shopper.lose() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension ShopperConnection: Sendable {}
