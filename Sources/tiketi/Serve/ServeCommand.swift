import ArgumentParser
import Logging
import Platform

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run services against the servers in the environment.",
        discussion: """
            SIGTERM and SIGINT drain: the port closes, everything acknowledged is stored, then the process ends. Where \
            Postgres does not take it within a minute, it ends with 1, and the spool keeps the rest for the next start.
            """)

    @Argument(help: "\(ServiceName.allCases.map(\.rawValue).joined(separator: ", ")), or all.")
    var services: [String]

    @Option(help: "Address to listen on; LISTEN_HOST where it is not given, and 127.0.0.1 where neither is.")
    var host: String?

    @Option(help: "Port to listen on; 0 is any that is free.")
    var port = 8080

    func validate() throws {
        _ = try ServiceName.resolve(services)
        guard (0...65535).contains(port) else { throw ValidationError("--port must be between 0 and 65535") }
    }

    func run() async throws {
        try await reportingFailure {
            let (settings, logger) = try ProcessSettings.bootstrap()
            let host = try host ?? settings.string("LISTEN_HOST") ?? "127.0.0.1"
            let process = ServedProcess(
                services: try ServiceName.resolve(services), settings: settings, host: host, port: port,
                followsRollup: false, logger: logger)
            try await process.run { port in
                logger.info("listening", metadata: ["host": "\(host)", "port": "\(port)"])
            }
        }
    }
}
