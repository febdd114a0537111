import AsyncHTTPClient
import Core
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Platform
import Synchronization

/// Tells the merchant of changes, until they answer 200: seven more times, each wait four times as long as the one
/// before. The body carries no proof of where it comes from, as Toss's doesn't.
final class SandboxWebhooks: Sendable {
    enum Order: String, Sendable, CaseIterable {
        case normal
        /// Each comes twice.
        case duplicate
        /// What happened later comes earlier.
        case reverse
        /// None comes.
        case lost
    }

    /// Those that wait; beyond it new ones are lost.
    static let maxWaiting = 10_000
    static let maxAttempts = 8
    static let firstWaitMs = 60_000.0
    static let answerTimeout = TimeAmount.seconds(10)
    static let idle = Duration.milliseconds(20)
    /// How long one is held back for a later one to overtake it, before it is scaled.
    static let reverseMs = 30_000.0

    private struct Item: Sendable {
        var body: [UInt8]
        var dueAt: Int64
        var attempts = 0
    }

    private struct State: Sendable {
        var order = Order.normal
        var waiting: [Item] = []
        var told = 0
    }

    private let configuration: TossSandbox.Configuration
    private let logger: Logger
    private let state = Mutex(State())

    init(_ configuration: TossSandbox.Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    func set(_ order: Order) { state.withLock { $0.order = order } }

    func tell(of payment: SandboxPayment) {
        guard configuration.webhookURL() != nil else { return }
        let now = configuration.clock()
        var json = JSONWriter()
        json.object { json in
            json.member("eventType", "PAYMENT_STATUS_CHANGED")
            json.member("createdAt", KST.text(now))
            json.member("data", raw: payment.json.text)
        }
        let body = json.bytes
        state.withLock { state in
            guard state.waiting.count < Self.maxWaiting, state.order != .lost else { return }
            state.told += 1
            // Each waits for less long than the one before it.
            let hold =
                state.order == .reverse
                ? Self.reverseMs / Double(state.told) * configuration.webhookScale : 0
            let item = Item(body: body, dueAt: now + Int64(hold))
            state.waiting.append(item)
            if state.order == .duplicate { state.waiting.append(item) }
        }
    }

    func run() async {
        while !Task.isCancelled {
            let now = configuration.clock()
            let due = state.withLock { state in
                let due = state.waiting.filter { $0.dueAt <= now }
                state.waiting.removeAll { $0.dueAt <= now }
                return due
            }
            for item in due { await deliver(item) }
            if due.isEmpty { try? await Task.sleep(for: Self.idle) }
        }
    }

    private func deliver(_ item: Item) async {
        guard let url = configuration.webhookURL() else { return }
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: item.body))
        let response = try? await HTTPClient.shared.execute(request, timeout: Self.answerTimeout)
        if response?.status == .ok { return }
        var again = item
        again.attempts += 1
        guard again.attempts < Self.maxAttempts else {
            logger.warning("a webhook was not taken", metadata: ["status": "\(response?.status.code ?? 0)"])
            return
        }
        var wait = Self.firstWaitMs * configuration.webhookScale
        for _ in 1..<again.attempts { wait *= 4 }
        again.dueAt = configuration.clock() + Int64(wait)
        state.withLock { [again] state in
            if state.waiting.count < Self.maxWaiting { state.waiting.append(again) }
        }
    }
}
