import Foundation
import Platform

/// nginx answering every request with 204: as fast as a server that does nothing.
enum NginxPeer {
    /// Nil where it is not installed.
    static var executable: String? { InstalledTool.find("nginx") }

    static func serving<R>(
        _ executable: String, in folder: URL, _ body: (_ port: Int) async throws -> R
    ) async throws -> R {
        let port = try await BenchStage.freePort()
        let configuration = folder.appending(path: "nginx.conf")
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder.path)/nginx-\($0);" }.joined(separator: "\n    ")
        try Data(
            """
            daemon off;
            worker_processes 2;
            pid \(folder.path)/nginx.pid;
            error_log stderr error;
            events { worker_connections 1024; }
            http {
                access_log off;
                keepalive_requests 1000000000;
                \(places)
                server {
                    listen 127.0.0.1:\(port) backlog=1024;
                    location /health { return 200; }
                    location / { return 204; }
                }
            }

            """.utf8
        ).write(to: configuration)
        let process = try BenchProcess(
            executable, ["-e", "stderr", "-p", folder.path, "-c", configuration.path], in: folder, name: "nginx")
        return try await BenchStage.running(process) {
            let deadline = ContinuousClock.now + .seconds(10)
            while !FileManager.default.fileExists(atPath: "\(folder.path)/nginx.pid") {
                try process.checkRunning()
                guard ContinuousClock.now < deadline else {
                    throw BenchProcess.Failed(description: "nginx did not get ready")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return try await body(port)
        }
    }
}
