import ArgumentParser
import Foundation
import Logging
import Platform
import TossSandbox

struct TossSandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toss-sandbox", abstract: "Run a stand-in for Toss Payments: no money moves.",
        discussion: """
            Prints 'ready http://127.0.0.1:PORT'. Give that address to Tiketi as TOSS_API_URL, and the same two keys. A \
            person pays on /pay, a program by POST /sandbox/payments; POST /sandbox/faults has it go wrong, GET \
            /sandbox/books says what it took and gave back.
            """)

    @Option(help: "Port to listen on; 0 is any that is free.")
    var port = 0

    @Option(help: "The key that Tiketi has as TOSS_SECRET_KEY.")
    var secretKey = "test_sk_sandbox"

    @Option(help: "The key that the pay page is opened with: TOSS_CLIENT_KEY.")
    var clientKey = "test_ck_sandbox"

    @Option(help: "Where webhooks go; without it none are sent.")
    var webhookUrl: String?

    @Option(help: "How long the waits between a webhook's attempts are, as a share of Toss's.")
    var webhookScale = 1.0

    @Option(help: "Where the books are kept; without it they end with the process.")
    var state: String?

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port must be between 0 and 65535") }
        guard (0...1).contains(webhookScale) else { throw ValidationError("--webhook-scale must be between 0 and 1") }
        if let webhookUrl, URL(string: webhookUrl)?.host() == nil {
            throw ValidationError("--webhook-url must be an http address")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let (_, logger) = try ProcessSettings.bootstrap(defaultLogFormat: .text)
            let target = webhookUrl.flatMap { URL(string: $0) }
            var configuration = TossSandbox.Configuration(
                secretKey: secretKey, clientKey: clientKey, webhookURL: { target }, clock: ProcessSettings.clock)
            configuration.webhookScale = webhookScale
            configuration.stateFile = state.map { URL(filePath: $0) }
            let server = try TossSandboxServer(configuration, port: port, logger: logger)
            try await server.run { port in
                print("ready http://127.0.0.1:\(port)")
                fflush(nil)
            }
        }
    }
}
