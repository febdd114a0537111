import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import Platform
import Synchronization
import TestSupport
import Testing
import TossSandbox

/// `tiketi toss-sandbox` as a process of its own.
@Suite(.timeLimit(.minutes(2))) struct SandboxProcessTests {
    private static func post(_ url: String, _ body: String) async throws -> [String: JSONValue] {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Basic " + Data("sk:".utf8).base64EncodedString())
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return PaymentFixture.object(Array(try await response.body.collect(upTo: 1 << 20).readableBytesView))
    }

    private static func start(_ folder: URL, webhooks: Int) async throws -> (RunningProgram, String) {
        let program = try RunningProgram(
            [
                "toss-sandbox", "--secret-key", "sk", "--webhook-url", "http://localhost:\(webhooks)/hook",
                "--webhook-scale", "0", "--state", folder.appending(path: "books.json").path,
            ], settings: [:], name: "sandbox", in: folder)
        while !program.output.contains("\n") {
            if program.hasEnded { Issue.record("\(program.error)") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return (program, String(program.output.dropFirst("ready ".count).dropLast()))
    }

    @Test func itsBooksOutliveAKillAndItsWebhooksComeUntilTheyAreTaken() async throws {
        let receiver = HookReceiver()
        try await withTemporaryFolder { folder in
            try await Application(router: receiver.router, logger: testLogger).test(.live) { client in
                let (program, address) = try await Self.start(folder, webhooks: client.port!)
                let paid = try await Self.post(
                    "\(address)/sandbox/payments", #"{"orderId":"order-1","amount":1000}"#)
                guard case .string(let key)? = paid["paymentKey"] else {
                    Issue.record("\(paid)")
                    return
                }
                let body = #"{"paymentKey":"\#(key)","orderId":"order-1","amount":1000}"#
                let done = try await Self.post("\(address)/v1/payments/confirm", body)
                #expect(done["status"] == .string("DONE"))
                // The first two attempts are refused.
                while receiver.bodies.count < 3 { try await Task.sleep(for: .milliseconds(20)) }
                #expect(Set(receiver.bodies).count == 1)
                program.signal(SIGKILL)
                await program.end()

                let (heir, next) = try await Self.start(folder, webhooks: client.port!)
                let again = try await Self.post("\(next)/v1/payments/confirm", body)
                #expect(again["code"] == .string("ALREADY_PROCESSED_PAYMENT"))
                heir.signal(SIGTERM)
                #expect(await heir.end() == .exited(0))
            }
        }
    }
}

private final class HookReceiver: Sendable {
    private let taken = Mutex<[String]>([])

    var bodies: [String] { taken.withLock { $0 } }

    var router: Router<BasicRequestContext> {
        let router = Router()
        router.post("hook") { [self] request, _ in
            let text = String(buffer: try await request.body.collect(upTo: 1 << 20))
            let count = taken.withLock { bodies in
                bodies.append(text)
                return bodies.count
            }
            return Response(status: count < 3 ? .internalServerError : .ok)
        }
        return router
    }
}
