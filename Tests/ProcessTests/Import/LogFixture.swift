import Foundation

/// An access log in a folder of its own.
struct LogFixture {
    let lines: [String]
    let file: URL

    init(lines: [String]) throws {
        self.lines = lines
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiketi-log-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        file = folder.appendingPathComponent("access.log")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    }

    /// Some days of requests: few visitors, many sessions, several servers' offsets, lines out of order, lines that
    /// come more than once, and what else real logs hold.
    init(lines count: Int, using random: inout some RandomNumberGenerator) throws {
        let addresses = (1...9).map { "198.18.0.\($0)" } + ["2001:db8::1"]
        let agents = ["A", "Mozilla/5.0 (X11; Linux)", "-", #"bot\t1"#]
        let paths = [
            "/blog/x", "/blog/x?page=2", "/articles/y/z", "/projects/%ED%95%9C", "/presentations/x/images/1.png",
            "/blog/", "/blog", "/about", "/", "/blog?x/y", "/ablog/x", "/blog/y%20z",
        ]
        let requests = ["GET", "GET", "GET", "GET", "HEAD", "POST"]
        let statuses = [200, 200, 200, 304, 206, 301, 404, 500]
        var lines: [String] = []
        while lines.count < count {
            if let last = lines.last, Int.random(in: 0..<40, using: &random) == 0 {
                lines.append(last)
                continue
            }
            // Four days around a change of month, the hours of Seoul's midnight among them.
            let second = Int.random(in: 0..<345_600, using: &random)
            let offset = [0, 0, 0, 540, -420].randomElement(using: &random)!
            let local = second + offset * 60
            // Eleven hours before the first of June 2015, UTC.
            let shifted = local + 13 * 3600
            let day = 30 + shifted / 86_400 - (shifted < 0 ? 1 : 0)
            let rest = (shifted % 86_400 + 86_400) % 86_400
            let date = day <= 31 ? "\(day)/May/2015" : "\(padded(day - 31))/Jun/2015"
            let sign = offset < 0 ? "-" : "+"
            let time =
                "\(date):\(padded(rest / 3600)):\(padded(rest / 60 % 60)):\(padded(rest % 60)) "
                + "\(sign)\(padded(abs(offset) / 60))\(padded(abs(offset) % 60))"
            let request =
                switch Int.random(in: 0..<50, using: &random) {
                case 0: "-"
                case 1: #"\x16\x03\x01"#
                default:
                    "\(requests.randomElement(using: &random)!) \(paths.randomElement(using: &random)!) HTTP/1.1"
                }
            let line =
                "\(addresses.randomElement(using: &random)!) - - [\(time)] \"\(request)\" "
                + "\(statuses.randomElement(using: &random)!) 1 \"-\" \"\(agents.randomElement(using: &random)!)\""
            // As if the disk had been full.
            lines.append(Int.random(in: 0..<100, using: &random) == 0 ? String(line.dropLast(2)) : line)
        }
        try self.init(lines: lines)
    }

    func remove() {
        try? FileManager.default.removeItem(at: file.deletingLastPathComponent())
    }
}

private func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
