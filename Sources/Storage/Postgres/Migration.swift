import Core
package import Foundation

/// One numbered script that brings a database a step further: `Migrations/<database>/NNN_name.sql`.
package struct Migration: Sendable, Equatable {
    package let version: Int
    package let name: String
    package let script: String

    package init(version: Int, name: String, script: String) {
        self.version = version
        self.name = name
        self.script = script
    }

    /// Tells whether an applied migration has changed since.
    package var checksum: String {
        let (high, low) = unsafe Array(script.utf8).withUnsafeBytes { bytes in
            unsafe Murmur3.hash128(bytes, seed: 0)
        }
        return Hexadecimal.text(high) + Hexadecimal.text(low)
    }

    /// The scripts that come with the program, ascending by version.
    package static func all(for database: Migrator.Database) throws -> [Migration] {
        try all(
            in: ProgramResources.folder(of: "Storage")
                .appending(path: "Migrations/\(database.rawValue)", directoryHint: .isDirectory))
    }

    package static func all(in folder: URL) throws -> [Migration] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw MigrationError("no migrations at \(folder.path): they belong beside the executable")
        }
        let migrations = try names.filter { $0.hasSuffix(".sql") }.map { file in
            let stem = file.dropLast(4)
            guard let underscore = stem.firstIndex(of: "_"), let version = Int(stem[..<underscore]), version > 0,
                let script = try? String(contentsOf: folder.appending(path: file), encoding: .utf8)
            else { throw MigrationError("\(file) is no migration: expected UTF-8 text named NNN_name.sql") }
            return Migration(
                version: version, name: String(stem[stem.index(after: underscore)...]), script: script)
        }.sorted { $0.version < $1.version }
        for (one, next) in zip(migrations, migrations.dropFirst()) where one.version == next.version {
            throw MigrationError("two migrations have version \(one.version)")
        }
        return migrations
    }
}
