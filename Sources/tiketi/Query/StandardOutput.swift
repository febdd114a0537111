import Foundation

/// Where answers go.
enum StandardOutput {
    /// Blocks while nobody reads.
    static func write(_ bytes: [UInt8]) throws {
        try FileHandle.standardOutput.write(contentsOf: bytes)
    }
}
