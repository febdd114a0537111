import Foundation
import Storage
import TestSupport
import Testing

@Suite struct QRCodeTests {
    /// Read by a scanner that is not ours: zbarimg, of zbar-tools.
    @Test(arguments: ["a", "TK1.한글 🎫", String(repeating: "x", count: 300)]) func scannersReadIt(text: String)
        async throws
    {
        let picture = Self.picture(of: try QRCode(text))
        let read = try await withTemporaryFolder { folder in try Self.scan(picture, in: folder) }
        #expect(read == text + "\n")
    }

    private static func scan(_ picture: Data, in folder: URL) throws -> String {
        let file = folder.appending(path: "code.pgm")
        try picture.write(to: file)
        let scanner = Process()
        scanner.executableURL = URL(filePath: "/usr/bin/zbarimg")
        scanner.arguments = ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file.path]
        let output = Pipe()
        scanner.standardOutput = output
        try scanner.run()
        let read = output.fileHandleForReading.readDataToEndOfFile()
        scanner.waitUntilExit()
        return String(decoding: read, as: UTF8.self)
    }

    /// Eight pixels a module, in the portable graymap format.
    private static func picture(of code: QRCode) -> Data {
        let scale = 8
        let size = (code.side + 8) * scale
        var pixels = [UInt8](repeating: 255, count: size * size)
        for y in 0..<size {
            for x in 0..<size {
                let (row, column) = (y / scale - 4, x / scale - 4)
                guard (0..<code.side).contains(row), (0..<code.side).contains(column) else { continue }
                if code.modules[row * code.side + column] { pixels[y * size + x] = 0 }
            }
        }
        return Data("P5 \(size) \(size) 255\n".utf8) + Data(pixels)
    }

    @Test func thePictureHasEveryDarkModule() throws {
        let code = try QRCode("ticket")
        let svg = code.svg
        let runs = svg.matches(of: /M(\d+) (\d+)h(\d+)v1/)
        var drawn = [Bool](repeating: false, count: code.modules.count)
        for run in runs {
            let (column, row, length) = (Int(run.1)! - 4, Int(run.2)! - 4, Int(run.3)!)
            for offset in 0..<length { drawn[row * code.side + column + offset] = true }
        }
        #expect(drawn == code.modules)
    }

    @Test func moreThanFitsIsRefused() throws {
        _ = try QRCode(String(repeating: "x", count: QRCode.maxBytes))
        #expect(throws: QRCode.TooLong.self) { try QRCode(String(repeating: "x", count: QRCode.maxBytes + 1)) }
        #expect(throws: QRCode.TooLong.self) { try QRCode("") }
    }
}
