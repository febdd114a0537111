import Foundation
import Logging
import Platform
import ServiceLifecycle
import Synchronization
import TossSandbox

/// The sandbox inside a `tiketi dev` that has no key of Toss's. It ends with the process; its books are in the data
/// directory.
final class DevSandbox: Sendable {
    static let secretKey = "test_sk_sandbox"
    static let clientKey = "test_ck_sandbox"

    private let address = Mutex<URL?>(nil)

    /// Nil until it listens.
    var url: URL? { address.withLock { $0 } }

    /// - Parameter site: the address of this process; nil until it listens.
    init(folder: URL?, site: @escaping @Sendable () -> URL?, logger: Logger) throws {
        var configuration = TossSandbox.Configuration(
            secretKey: Self.secretKey, clientKey: Self.clientKey,
            webhookURL: { site()?.appending(path: "api/payments/toss/webhook") }, clock: ProcessSettings.clock)
        configuration.stateFile = folder?.appending(path: "toss-sandbox.json")
        let server = try TossSandboxServer(configuration, port: 0, logger: logger)
        let services = server.services { [weak self] port in
            self?.address.withLock { $0 = URL(string: "http://127.0.0.1:\(port)") }
        }
        Task {
            do {
                try await ServiceGroup(services: services, logger: logger).run()
            } catch {
                logger.error("the Toss sandbox has ended", metadata: ["error": "\(error)"])
            }
        }
    }
}
