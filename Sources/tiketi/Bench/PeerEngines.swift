import Core
import Foundation
import Storage

/// Databases that are measured with the very rows of this run, on this machine, by programs of their own (Benchmarks in
/// the source says how they are called).
///
/// They are beside the point of a benchmark: where one of them can't be measured, that is said and the rest goes on.
struct PeerEngines: Sendable {
    static let names = ["ClickHouse", "DuckDB"]

    enum Measure: Hashable, Sendable {
        case fold, sessions, bytes, bytesByArtist
        case scan(artist: String)

        /// As the programs call it.
        var name: String {
            switch self {
            case .fold: "fold"
            case .sessions: "sessions"
            case .bytes: "bytes"
            case .bytesByArtist: "bytes_by_artist"
            case .scan(let artist): "scan:\(artist)"
            }
        }

        /// What a peer's figure says of it.
        fileprivate var label: String {
            switch self {
            case .fold: "without sessions"
            case .sessions: "with sessions"
            case .bytes: "by time"
            case .bytesByArtist: "by artist"
            case .scan: "1 thread"
            }
        }
    }

    typealias Measured = [Measure: [Figure.Peer]]

    /// Of the programs; nil where nobody is to be measured.
    let folder: String?
    /// Added to their environment.
    var settings: [String: String] = [:]

    /// Measures every engine; an empty answer where there is none.
    ///
    /// - Parameters:
    ///   - blocks: the rows, in order of time.
    ///   - scratch: for files, among them the rows once more as text.
    func measure(
        _ blocks: [[UInt8]], _ wanted: [Measure], in scratch: URL, _ progress: (String) -> Void
    ) async throws -> Measured {
        guard let folder, !wanted.isEmpty else { return [:] }
        progress("writing the rows for \(Self.names.joined(separator: " and "))")
        let rows = scratch.appending(path: "rows.tsv")
        try PeerRows.write(blocks, to: rows)
        defer { try? FileManager.default.removeItem(at: rows) }
        var measured: Measured = [:]
        for name in Self.names {
            progress("measuring \(name)")
            do {
                for (measure, value) in try await run(name, in: folder, wanted, rows, scratch) {
                    measured[measure, default: []].append(.init("\(name), this run, \(measure.label)", value))
                }
            } catch let failed as BenchProcess.Failed {
                Terminal.writeError("\(name) is not measured: \(failed)\n")
            }
        }
        return measured
    }

    private func run(
        _ name: String, in folder: String, _ wanted: [Measure], _ rows: URL, _ scratch: URL
    ) async throws -> [(Measure, Double)] {
        let own = scratch.appending(path: "peer-\(name)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: own) }
        let program = URL(filePath: folder).appending(path: name).standardizedFileURL.path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchProcess.Failed(description: "there is no program \(program)")
        }
        let process = try BenchProcess(
            program, [rows.path, own.path] + wanted.map(\.name), settings: settings, in: scratch, name: name)
        do {
            try await process.finish()
        } catch {
            await process.stop()
            throw error
        }
        let values = try Self.parse(process.said)
        return wanted.compactMap { measure in values[measure.name].map { (measure, $0) } }
    }

    private struct Line: Decodable {
        let what: String
        let value: Double
    }

    /// Reads `{"what":…,"value":…}` of each line.
    static func parse(_ said: String) throws(BenchProcess.Failed) -> [String: Double] {
        var values: [String: Double] = [:]
        for line in said.split(separator: "\n") {
            guard let parsed = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else {
                throw BenchProcess.Failed(description: "it said something unexpected: \(line)")
            }
            values[parsed.what] = parsed.value
        }
        return values
    }
}

extension PeerEngines.Measured {
    /// Those of some measures, in their order.
    func peers(_ measures: PeerEngines.Measure...) -> [Figure.Peer] { measures.flatMap { self[$0] ?? [] } }
}
