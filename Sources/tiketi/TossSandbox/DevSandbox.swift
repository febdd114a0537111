import Foundation
import Logging
import Platform
import ServiceLifecycle
import TossSandbox

/// The sandbox inside a `tiketi dev` that has no key of Toss's.
enum DevSandbox {
    static let secretKey = "test_sk_sandbox"
    static let clientKey = "test_ck_sandbox"

    /// It ends with the process; its books are in the folder.
    ///
    /// - Parameter site: the address of this process.
    static func start(port: Int, folder: URL, site: String, logger: Logger) throws {
        let webhooks = URL(string: "\(site)/api/payments/toss/webhook")
        var configuration = TossSandbox.Configuration(
            secretKey: secretKey, clientKey: clientKey, webhookURL: { webhooks }, clock: ProcessSettings.clock)
        configuration.stateFile = folder.appending(path: "toss-sandbox.json")
        let services = try TossSandboxServer(configuration, port: port, logger: logger).services { _ in }
        Task {
            do {
                try await ServiceGroup(services: services, logger: logger).run()
            } catch {
                logger.error("the Toss sandbox has ended", metadata: ["error": "\(error)"])
            }
        }
    }
}
