import Core
import Foundation
import Storage
import TestSupport
import Testing

@testable import tiketi

@Suite struct PeerEnginesTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
    /// Where `scripts/install-duckdb` puts it.
    private static let duckDB = root.appending(path: ".build/duckdb")

    private static func blocks(_ count: Int) -> [[UInt8]] {
        var beacons = SyntheticBeacons(seed: 1)
        var builder = BeaconBatchBuilder()
        for row in 0..<count { builder.append(beacons.next(at: 1_764_514_800_000 + Int64(row) * 1000)) }
        return [BatchBlock.encode(builder.finish()).bytes]
    }

    @Test func rowsAreWrittenWithTabsBetween() async throws {
        try await withTemporaryFolder { folder in
            var builder = BeaconBatchBuilder()
            var beacon = Beacon(receivedAt: 1_764_514_800_001, timestamp: 1_764_514_800_000)
            beacon[.eventType] = "page_view"
            beacon[.artistId] = "아이유"
            beacon[.country] = "KR"
            builder.append(beacon)
            let file = folder.appending(path: "rows.tsv")
            try PeerRows.write([BatchBlock.encode(builder.finish()).bytes], to: file)
            let none = "\\N"
            #expect(
                try String(contentsOf: file, encoding: .utf8)
                    == "1764514800000\tpage_view\t아이유\t\(none)\t\(none)\t\(none)\t\(none)\t\(none)\t\(none)\tKR\n")
        }
    }

    @Test func whatAPeerSaysIsRead() throws {
        #expect(
            try PeerEngines.parse("{\"what\": \"fold\", \"value\": 1.5}\n{\"what\": \"bytes\", \"value\": 2}\n")
                == ["fold": 1.5, "bytes": 2])
        #expect(throws: BenchProcess.Failed.self) { try PeerEngines.parse("Segmentation fault\n") }
    }

    /// One fails, and one has no idea of some of it.
    @Test func whoeverCantBeMeasuredIsLeftOut() async throws {
        try await withTemporaryFolder { folder in
            for (name, script) in [
                ("ClickHouse", "echo no module named chdb >&2; exit 1"),
                (
                    "DuckDB",
                    "test -s \"$1\" && test -d \"$2\" && test \"$3 $4\" = 'fold bytes_by_artist' || exit 1\n"
                        + "echo '{\"what\":\"fold\",\"value\":7}'"
                ),
            ] {
                let program = folder.appending(path: name)
                try Data("#!/bin/sh\n\(script)\n".utf8).write(to: program)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
            }
            let measured = try await PeerEngines(folder: folder.path)
                .measure(Self.blocks(3), [.fold, .bytesByArtist], in: folder) { _ in }
            #expect(measured == [.fold: [.init("DuckDB, this run, without sessions", 7)]])
            #expect(measured.peers(.fold, .bytesByArtist) == [.init("DuckDB, this run, without sessions", 7)])
            #expect(
                try await PeerEngines(folder: nil).measure(Self.blocks(3), [.fold], in: folder) { _ in } == [:])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                    == ["ClickHouse", "ClickHouse.log", "DuckDB", "DuckDB.log"])
        }
    }

    /// The program itself, with the engine itself.
    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: duckDB.appending(path: "installed").path),
            "DuckDB is not installed: scripts/install-duckdb"))
    func duckDBIsMeasured() async throws {
        try await withTemporaryFolder { folder in
            let engines = PeerEngines(
                folder: Self.root.appending(path: "Benchmarks").path,
                settings: ["PATH": "\(Self.duckDB.path)/bin:/usr/bin:/bin"])
            let wanted: [PeerEngines.Measure] = [.fold, .sessions, .bytes, .scan(artist: "artist-0000")]
            let measured = try await engines.measure(Self.blocks(2000), wanted, in: folder) { _ in }
            #expect(Set(measured.keys) == Set(wanted))
            #expect(measured.values.joined().allSatisfy { $0.name.hasPrefix("DuckDB") && $0.range.lowerBound > 0 })
        }
    }
}
