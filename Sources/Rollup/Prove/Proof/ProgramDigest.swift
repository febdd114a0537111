import Crypto
import Storage

/// The SHA-256 of the running program's file: what another program has proven may rest on other rules.
enum ProgramDigest {
    /// Read at once.
    private static let chunkBytes = 1 << 20

    static func own() throws -> [UInt8] { try digest.get() }

    private static let digest = Result { () throws(DiskError) -> [UInt8] in
        let file = try DiskFile("/proc/self/exe", .read)
        var hash = SHA256()
        var offset = 0
        while case let chunk = try file.read(chunkBytes, at: offset), !chunk.isEmpty {
            hash.update(data: chunk)
            offset += chunk.count
        }
        return Array(hash.finalize())
    }
}
