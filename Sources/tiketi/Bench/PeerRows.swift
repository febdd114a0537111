import Core
import Foundation
import Storage

/// The rows of blocks as text that any database reads: the ten columns that the bench's beacons have, separated by tabs.
enum PeerRows {
    static let texts: [BeaconBatch.Text] = [
        .eventType, .artistId, .eventId, .visitorId, .sessionId, .messageId, .path, .referrer, .country,
    ]

    /// Writes milliseconds since 1970 and the texts of each row; `\N` is none.
    ///
    /// - Precondition: no text has a tab or an end of line, as those of `SyntheticBeacons` have none.
    static func write(_ blocks: [[UInt8]], to url: URL) throws {
        try Data().write(to: url)
        let file = try FileHandle(forWritingTo: url)
        for block in blocks {
            let batch = try BatchBlock.decode(block)
            var lines = Data()
            for row in 0..<batch.count {
                lines.append(contentsOf: String(batch.timestamp[row]).utf8)
                for text in texts {
                    let column = batch[text]
                    let code = Int(column.codes[row])
                    lines.append(UInt8(ascii: "\t"))
                    lines.append(contentsOf: code == 0 ? Array("\\N".utf8)[...] : column.value(code - 1))
                }
                lines.append(UInt8(ascii: "\n"))
            }
            try file.write(contentsOf: lines)
        }
        try file.close()
    }
}
