import TestSupport
import Testing

@testable import Storage

@Suite struct GzipTests {
    private func gzip(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { Gzip.deflate($0) }
    }

    private func inflate(_ bytes: [UInt8], maxBytes: Int = 1 << 20) -> Result<[UInt8], GzipError> {
        Result { () throws(GzipError) in
            try bytes.withUnsafeBufferPointer { (buffer) throws(GzipError) in
                try Gzip.inflate(UnsafeRawBufferPointer(buffer), maxBytes: maxBytes)
            }
        }
    }

    @Test(arguments: [0, 1, 1000, 65_535, 65_536, 65_537, 300_000])
    func inflatingIsTheInverse(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...40, using: &generator) }
        #expect(inflate(gzip(bytes)) == .success(bytes))
        #expect(inflate(gzip(bytes), maxBytes: count) == .success(bytes))
        if count > 0 { #expect(inflate(gzip(bytes), maxBytes: count - 1) == .failure(.tooLarge(limit: count - 1))) }
    }

    /// `printf beacon | gzip -n`
    @Test func whatGzipWroteIsRead() {
        let bytes: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0x4a, 0x4d, 0x4c, 0xce, 0xcf, 0x03, 0x00,
            0xe7, 0x29, 0x48, 0x24, 0x06, 0x00, 0x00, 0x00,
        ]
        #expect(inflate(bytes) == .success(Array("beacon".utf8)))
        #expect(bytes.withUnsafeBytes { Gzip.isGzip($0) })
        #expect(!bytes.dropFirst().withUnsafeBytes { Gzip.isGzip($0) })
    }

    @Test func severalMembersAreOneText() {
        let parts = ["first ", "", "second ", "third"].map { gzip(Array($0.utf8)) }
        #expect(inflate(parts.flatMap { $0 }) == .success(Array("first second third".utf8)))
        #expect(inflate(parts.flatMap { $0 }, maxBytes: 12) == .failure(.tooLarge(limit: 12)))
    }

    @Test func everyTruncationIsMalformed() {
        let bytes = gzip(Array("a beacon, and a beacon, and a beacon".utf8))
        for count in 0..<bytes.count {
            #expect(inflate(Array(bytes[..<count])) == .failure(.malformed), "\(count) of \(bytes.count) bytes")
        }
    }

    @Test func otherFormatsAreMalformed() {
        #expect(inflate(Array("{\"eventType\":\"page_view\"}".utf8)) == .failure(.malformed))
        // A zlib stream, and a member followed by something else.
        #expect(inflate([0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]) == .failure(.malformed))
        #expect(inflate(gzip([1, 2, 3]) + [0, 0, 0]) == .failure(.malformed))
    }

    @Test func aWrongChecksumIsMalformed() {
        var bytes = gzip(Array("a beacon".utf8))
        bytes[bytes.count - 5] ^= 1
        #expect(inflate(bytes) == .failure(.malformed))
    }

    @Test func aBombIsRefusedAtTheLimit() {
        let bomb = gzip([UInt8](repeating: 0, count: 40 << 20))
        #expect(bomb.count < 64 * 1024)
        #expect(inflate(bomb, maxBytes: 1 << 20) == .failure(.tooLarge(limit: 1 << 20)))
        #expect(inflate(bomb, maxBytes: 0) == .failure(.tooLarge(limit: 0)))
    }

    @Test func mutatedBytesNeverCrash() {
        let seed: UInt64 = 1952
        var generator = SeededGenerator(seed: seed)
        let bytes = gzip(Array(String(repeating: "beacon after beacon, ", count: 20).utf8))
        for _ in 0..<2000 {
            var mutated = bytes
            mutated[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            if case .success(let output) = inflate(mutated, maxBytes: 1000) { #expect(output.count <= 1000) }
        }
    }
}
