import Crypto
package import Foundation
package import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import Platform
import Synchronization

/// A stand-in for Toss Payments, for development and tests: its rules, its books, its pay page, and what goes wrong with
/// it when it is told to. No money moves.
package final class TossSandbox: Sendable {
    package struct Configuration: Sendable {
        package var secretKey: String
        package var clientKey: String
        /// Where webhooks go; nil sends none. Asked for each time.
        package var webhookURL: @Sendable () -> URL?
        /// How long Toss's waits between webhooks are here, as a share of theirs.
        package var webhookScale = 1.0
        /// How late an answer comes that comes too late.
        package var holdMs: Int64 = 60_000
        /// Where the books are kept; nil keeps them in memory.
        package var stateFile: URL?
        /// Milliseconds since 1970.
        package var clock: @Sendable () -> Int64

        package init(
            secretKey: String, clientKey: String, webhookURL: @escaping @Sendable () -> URL? = { nil },
            clock: @escaping @Sendable () -> Int64
        ) {
            self.secretKey = secretKey
            self.clientKey = clientKey
            self.webhookURL = webhookURL
            self.clock = clock
        }
    }

    let configuration: Configuration
    let webhooks: SandboxWebhooks
    let logger: Logger
    private let state: Mutex<SandboxState>
    /// One file is written after the other, or an older state could come last.
    private let writing = SandboxStateFile()

    /// - Throws: where the state's file is there and can't be read.
    package init(_ configuration: Configuration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        webhooks = SandboxWebhooks(configuration, logger: logger)
        let stored = try configuration.stateFile.flatMap { try SandboxStateFile.read($0) }
        state = Mutex(stored ?? SandboxState())
    }

    package var router: Router<BasicRequestContext> {
        let router = Router()
        addPaymentRoutes(to: router)
        addPayPage(to: router)
        addTestRoutes(to: router)
        router.get("health") { _, _ in "ok\n" }
        return router
    }

    /// Sends webhooks until the task is cancelled.
    package func run() async { await webhooks.run() }

    func with<Result: Sendable>(_ body: (inout SandboxState, Int64) -> Result) async -> Result {
        let now = configuration.clock()
        let (result, snapshot) = state.withLock { state in
            let result = body(&state, now)
            return (result, configuration.stateFile == nil ? nil : state)
        }
        if let file = configuration.stateFile, let snapshot {
            do { try await writing.write(snapshot, to: file) } catch {
                logger.error("the sandbox's books could not be written", metadata: ["error": "\(error)"])
            }
        }
        return result
    }

    func respond(_ answer: SandboxState.Answer) async -> Response {
        if let changed = answer.changed { webhooks.tell(of: changed) }
        if answer.isHeld { try? await Task.sleep(for: .milliseconds(configuration.holdMs)) }
        return Response(
            status: .init(code: answer.status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    static func paymentKey() -> String {
        "tsandbox" + (0..<4).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
    }
}
