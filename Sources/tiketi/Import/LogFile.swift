import Foundation
import Storage

/// A log's bytes in chunks, from a file or standard input; gzip is recognised by its first bytes and undone.
///
/// Reading blocks: use it on a thread of its own.
struct LogFile: ~Copyable {
    static let maxChunkBytes = 256 * 1024

    enum Failure: Error {
        case unreadable(path: String, reason: String)
        case damaged(path: String)
        case cutOff(path: String)
    }

    let path: String
    /// Bytes of the file itself, compressed where it is; nil for standard input.
    let size: Int64?
    private(set) var bytesRead: Int64 = 0
    private let handle: FileHandle
    private var gzip: GzipStream?
    private var isAtStart = true

    /// - Parameter path: `-` is standard input.
    init(_ path: String) throws(Failure) {
        let (handle, size) = try Self.open(path)
        self.path = path
        self.handle = handle
        self.size = size
    }

    private static func open(_ path: String) throws(Failure) -> (FileHandle, Int64?) {
        if path == "-" { return (.standardInput, nil) }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            // Opening one works; only reading it would fail, and less clearly.
            if attributes[.type] as? FileAttributeType == .typeDirectory {
                throw Failure.unreadable(path: path, reason: "it is a directory")
            }
            let isRegular = attributes[.type] as? FileAttributeType == .typeRegular
            return (handle, isRegular ? (attributes[.size] as? NSNumber)?.int64Value : nil)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .unreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// The next bytes, never empty; nil at the end.
    mutating func next() throws(Failure) -> [UInt8]? {
        while true {
            if let output = try inflated() { return output }
            guard let chunk = try read() else {
                if gzip?.isComplete == false { throw .cutOff(path: path) }
                return nil
            }
            guard gzip != nil else { return chunk }
            gzip?.feed(chunk)
        }
    }

    private mutating func inflated() throws(Failure) -> [UInt8]? {
        do throws(GzipStream.Failure) {
            return try gzip?.next()
        } catch {
            throw .damaged(path: path)
        }
    }

    private mutating func read() throws(Failure) -> [UInt8]? {
        do {
            var chunk = [UInt8](try handle.read(upToCount: Self.maxChunkBytes) ?? Data())
            if isAtStart {
                // A pipe may begin with a single byte, and two are needed to tell.
                while chunk.count == 1, let more = try handle.read(upToCount: Self.maxChunkBytes), !more.isEmpty {
                    chunk += more
                }
                if chunk.starts(with: [0x1f, 0x8b]) { gzip = GzipStream() }
                isAtStart = false
            }
            bytesRead += Int64(chunk.count)
            return chunk.isEmpty ? nil : chunk
        } catch {
            throw .unreadable(path: path, reason: error.localizedDescription)
        }
    }
}

extension LogFile.Failure: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreadable(let path, let reason): "can't read \(path): \(reason)"
        case .damaged(let path): "\(path) is damaged: its gzip data can't be undone"
        case .cutOff(let path): "\(path) ends in the middle of its gzip data"
        }
    }
}
