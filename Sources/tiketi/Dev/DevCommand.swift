import ArgumentParser
import Foundation
import Logging
import Platform
import Storage
import UnixSignals

struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Run everything here: private Postgres and Redis, all services in one process.",
        discussion: """
            Prints 'ready http://127.0.0.1:PORT' once it can serve. The data directory's 'env' file holds the settings \
            for other commands. Ctrl-C drains and stops everything; a second start goes on where the first one ended.
            """)

    @Option(help: "Port to listen on; 0 is any that is free.")
    var port = 8080

    @Option(help: "Where the servers keep their data.")
    var dataDir = ".tiketi"

    @Flag(inversion: .prefixedNo, help: "Load the demo catalogue and a few days of demo traffic, once.")
    var demo = true

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port must be between 0 and 65535") }
    }

    func run() async throws {
        try await reportingFailure {
            let folder = URL(filePath: dataDir, directoryHint: .isDirectory).standardizedFileURL
            let servers = try DevServers(folder: folder)
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            let serving = ServingMark()
            let running = Task {
                let environment = try await servers.start()
                try await serve(environment, folder: folder) { serving.set() }
            }
            let stopping = Task {
                // While it serves, the services end by themselves; before that, nothing else would stop the servers.
                for await _ in signals where !serving.isSet { running.cancel() }
            }
            let result = await running.result
            await servers.stop()
            stopping.cancel()
            if running.isCancelled { return }
            try result.get()
        }
    }

    private func serve(
        _ environment: DevEnvironment, folder: URL, onServing: @escaping @Sendable () -> Void
    ) async throws {
        // An empty one is none.
        let own = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        let port = port == 0 ? try FreePort.pick() : port
        let site = "http://127.0.0.1:\(port)"
        var environment = environment
        // A person can buy a ticket without any key.
        let hasKey = own["TOSS_SECRET_KEY"] != nil || own["TOSS_SECRET_KEY_FILE"] != nil
        let sandboxPort = hasKey ? nil : try FreePort.pick()
        if let sandboxPort { environment.set(sandbox: "http://127.0.0.1:\(sandboxPort)") }
        try environment.write(site: site)
        let overrides = environment.values.filter { name, _ in
            own[name] == nil || name.hasSuffix("_URL") || sandboxPort != nil && name.hasPrefix("TOSS_")
        }
        var standard = ["PUBLIC_URL": site, "LOG_LEVEL": "notice"]
        standard = standard.filter { own[$0.key] == nil }
        let (settings, logger) = try ProcessSettings.bootstrap(
            defaultLogFormat: .text, overrides: overrides.merging(standard) { first, _ in first })
        for database in Migrator.Database.allCases {
            let configuration = try settings.database("\(database.rawValue.uppercased())_DATABASE_URL")
            let pool = PostgresPool(configuration, connections: 1, logger: logger)
            _ = try await Migrator(database).migrate(pool)
            await pool.shutdown()
        }
        if demo {
            try await DemoData(settings: settings, logger: logger).loadOnce()
            try await DemoShop(settings: settings, logger: logger).load()
        }
        if let sandboxPort { try DevSandbox.start(port: sandboxPort, folder: folder, site: site, logger: logger) }
        let shop = try ShopPages()
        let process = ServedProcess(
            services: Set(ServiceName.allCases), settings: settings, host: "127.0.0.1", port: port,
            followsRollup: true, addRoutes: { shop.addRoutes(to: $0) }, logger: logger)
        try Task.checkCancellation()
        try await process.run { port in
            onServing()
            let address = "http://127.0.0.1:\(port)"
            await announce(address, settings: settings, folder: folder)
        }
    }

    private func announce(_ address: String, settings: Settings, folder: URL) async {
        guard await ReadyProbe.wait(address) else {
            ProcessSettings.standardError("tiketi: \(address)/ready did not turn 200")
            return
        }
        print("ready \(address)")
        let folderOfMails = (try? settings.string("MAIL_DIR")) ?? ""
        let mails = (try? settings.string("SMTP_URL")) == nil ? "\(folderOfMails): the links to follow" : "sent"
        if let token = try? await DevEnvironment.token(settings) {
            print(
                """

                shop       \(address)/
                admin      \((try? settings.string("ADMIN_EMAIL")) ?? "") with the password \((try? settings.string("ADMIN_PASSWORD")) ?? "")
                beacons    curl \(address)/track -d '{"eventType":"page_view","artistId":"artist-1","visitorId":"me"}'
                dashboard  curl -H "Authorization: Bearer $TOKEN" \(address)/api/analytics/dashboard
                analysts   .build/debug/tiketi query traffic --artist artist-1
                mails      \(mails)
                settings   \(folder.appending(path: "env").path)

                TOKEN=\(token)

                Ctrl-C stops everything.
                """)
        }
        fflush(nil)
    }
}
