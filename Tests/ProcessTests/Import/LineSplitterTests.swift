import TestSupport
import Testing

@testable import tiketi

@Suite struct LineSplitterTests {
    @Test(
        arguments: [
            ("", []),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("a\r\nb\r\n", ["a", "b"]),
            ("\n\na", ["", "", "a"]),
            ("a\rb\n\r\n", ["a\rb", ""]),
        ] as [(String, [String])])
    func linesEndAtLineBreaks(text: String, expected: [String]) {
        #expect(Self.lines(of: [Array(text.utf8)]) == expected)
    }

    @Test func chunksDoNotMatter() {
        var random = SeededGenerator()
        print(random)
        for _ in 0..<300 {
            let text = (0..<Int(random.next() % 200)).map { _ in
                [0x0a, 0x0d, 0x61, 0x62][Int(random.next() % 4)] as UInt8
            }
            var chunks: [[UInt8]] = []
            var position = 0
            while position < text.count {
                let end = min(text.count, position + Int(random.next() % 9))
                chunks.append(Array(text[position..<end]))
                position = end
            }
            #expect(Self.lines(of: chunks) == Self.lines(of: [text]))
        }
    }

    @Test(arguments: [65_535, 65_536, 65_537, 200_000])
    func lineBeyondTheBoundIsPassedOver(length: Int) {
        let line = [UInt8](repeating: 0x61, count: length)
        let expected = length <= LineSplitter.maxLineBytes ? String(decoding: line, as: UTF8.self) : "TOO LONG"
        for ending: [UInt8] in [[0x0a], [0x0d, 0x0a]] {
            let text = [0x62, 0x0a] + line + ending + [0x63, 0x0a]
            #expect(Self.lines(of: [text]) == ["b", expected, "c"])
            // In chunks smaller than the line.
            let chunks = stride(from: 0, to: text.count, by: 1000).map { Array(text[$0..<min($0 + 1000, text.count)]) }
            #expect(Self.lines(of: chunks) == ["b", expected, "c"])
        }
        #expect(Self.lines(of: [line]) == [expected])
    }

    private static func lines(of chunks: [[UInt8]]) -> [String] {
        var splitter = LineSplitter()
        var lines: [String] = []
        func take(_ line: LineSplitter.Line) {
            switch line {
            case .line(let bytes): lines.append(String(decoding: bytes, as: UTF8.self))
            case .tooLong: lines.append("TOO LONG")
            }
        }
        for chunk in chunks { splitter.split(chunk, take) }
        splitter.finish(take)
        return lines
    }
}
