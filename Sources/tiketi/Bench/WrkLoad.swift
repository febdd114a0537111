import Foundation

/// The load of `wrk -t1`, which takes less of the cores than our own: the server has more.
enum WrkLoad {
    struct Result: Sendable, Equatable {
        var perSecond: Double
        var p50Ms: Double
        var p99Ms: Double
    }

    /// Nil where it is not installed.
    static var executable: String? { InstalledTool.find("wrk") }

    /// Posts one body again and again.
    static func run(
        _ executable: String, port: Int, connections: Int, seconds: Int, body: [UInt8], in folder: URL
    ) async throws -> Result {
        let script = folder.appending(path: "wrk.lua")
        let text = String(decoding: body, as: UTF8.self)
        try Data(
            """
            wrk.method = "POST"
            wrk.headers["Content-Type"] = "text/plain;charset=UTF-8"
            wrk.body = [==[\(text)]==]

            """.utf8
        ).write(to: script)
        let process = try BenchProcess(
            executable,
            [
                "-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "-s", script.path,
                "http://127.0.0.1:\(port)/track",
            ], in: folder, name: "wrk")
        do {
            try await process.finish()
        } catch {
            await process.stop()
            throw error
        }
        let said = process.said
        guard let result = parse(said) else {
            throw BenchProcess.Failed(description: "wrk said something unexpected: \(said)")
        }
        return result
    }

    /// Reads wrk's report; nil where numbers are missing, or an answer was neither 2xx nor 3xx.
    static func parse(_ report: String) -> Result? {
        if report.contains("Non-2xx") { return nil }
        func value(after name: String) -> Substring? {
            report.split(separator: "\n").lazy
                .map { $0.split(separator: " ") }.first { $0.first == name[...] && $0.count > 1 }?[1]
        }
        guard let perSecond = value(after: "Requests/sec:").flatMap({ Double($0) }),
            let p50 = value(after: "50%").flatMap(milliseconds), let p99 = value(after: "99%").flatMap(milliseconds)
        else { return nil }
        return Result(perSecond: perSecond, p50Ms: p50, p99Ms: p99)
    }

    private static func milliseconds(_ text: Substring) -> Double? {
        for (unit, scale) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * scale }
        }
        return nil
    }
}
