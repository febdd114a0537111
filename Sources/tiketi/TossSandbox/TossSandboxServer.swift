import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import TossSandbox
import UnixSignals

/// A sandbox on a port of its own, on this machine only.
struct TossSandboxServer {
    let sandbox: TossSandbox
    private let port: Int
    private let logger: Logger

    init(_ configuration: TossSandbox.Configuration, port: Int, logger: Logger) throws {
        sandbox = try TossSandbox(configuration, logger: logger)
        self.port = port
        self.logger = logger
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Parameter onListening: called with the port that was bound.
    func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services(onListening: onListening), gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
    }

    /// What a process that has other services, too, runs with them.
    func services(onListening: @escaping @Sendable (Int) -> Void) -> [any Service] {
        let application = Application(
            router: sandbox.router,
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: "toss-sandbox"),
            onServerRunning: { onListening($0.localAddress?.port ?? 0) }, logger: logger)
        return [application, SandboxWork(sandbox: sandbox)]
    }
}

private struct SandboxWork: Service {
    let sandbox: TossSandbox

    func run() async throws {
        await cancelWhenGracefulShutdown { await sandbox.run() }
    }
}
