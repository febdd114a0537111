import Foundation
import Testing

@testable import Storage

@Suite struct GzipStreamTests {
    @Test(arguments: [0, 1, 1000, GzipStream.maxOutputBytes, GzipStream.maxOutputBytes * 3 + 1])
    func whatGzipMadeComesBack(count: Int) throws {
        let text = Self.text(count)
        let zipped = try Self.gzip(text)
        for chunk in [1, 7, 65_536, max(1, zipped.count)] where zipped.count / chunk < 20_000 {
            #expect(try Self.inflate(zipped, chunk: chunk) == text)
        }
    }

    @Test func membersEndToEndAreOneStream() throws {
        let zipped = try Self.gzip(Self.text(1000)) + Self.gzip([]) + Self.gzip(Self.text(10)) + [0, 0, 0]
        #expect(try Self.inflate(zipped, chunk: 5) == Self.text(1000) + Self.text(10))
    }

    /// A megabyte of zeros in a kilobyte: no piece is larger than the bound.
    @Test func piecesAreBounded() throws {
        var stream = GzipStream()
        stream.feed(try Self.gzip([UInt8](repeating: 0, count: 4 << 20)))
        var total = 0
        while let piece = try stream.next() {
            #expect(piece.count <= GzipStream.maxOutputBytes)
            total += piece.count
        }
        #expect(total == 4 << 20)
        let isComplete = stream.isComplete
        #expect(isComplete)
    }

    @Test func cutOffInputIsIncomplete() throws {
        let zipped = try Self.gzip(Self.text(1000))
        for end in [1, 5, 12, zipped.count / 2, zipped.count - 1] {
            var stream = GzipStream()
            stream.feed(Array(zipped[..<end]))
            while try stream.next() != nil {}
            let isComplete = stream.isComplete
            #expect(!isComplete)
        }
    }

    @Test func damageIsRefused() throws {
        var zipped = try Self.gzip(Self.text(1000))
        zipped[zipped.count - 6] ^= 1
        #expect(throws: GzipStream.Failure.malformed) { try Self.inflate(zipped, chunk: 4096) }
        #expect(throws: GzipStream.Failure.malformed) { try Self.inflate(Array("plain text".utf8), chunk: 4096) }
        #expect(throws: GzipStream.Failure.malformed) {
            try Self.inflate(try Self.gzip([1]) + Array("rubbish".utf8), chunk: 4096)
        }
    }

    private static func text(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 11) & 0x3f }
    }

    private static func inflate(_ zipped: [UInt8], chunk: Int) throws -> [UInt8] {
        var stream = GzipStream()
        var text: [UInt8] = []
        for start in stride(from: 0, to: zipped.count, by: chunk) {
            stream.feed(Array(zipped[start..<min(start + chunk, zipped.count)]))
            while let piece = try stream.next() { text += piece }
        }
        let isComplete = stream.isComplete
        #expect(isComplete)
        return text
    }

    /// As /bin/gzip makes it.
    private static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tiketi-gzip-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["--stdout", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let zipped = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return [UInt8](zipped)
    }
}
