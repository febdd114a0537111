/// A line on standard error that says how far something is. Silent where that is no terminal, and during the first
/// half second, so that what is quick shows nothing.
struct ProgressBar {
    static let redrawInterval: Duration = .milliseconds(100)
    static let quietInterval: Duration = .milliseconds(500)

    private let title: String
    private let unit: Unit
    private let isShown: Bool
    private let started = ContinuousClock.now
    private var drawn: ContinuousClock.Instant?

    enum Unit {
        case bytes
        case count(String)
    }

    init(_ title: String, unit: Unit, isShown: Bool = Terminal.errorIsTerminal) {
        self.title = title
        self.unit = unit
        self.isShown = isShown
    }

    /// Redraws where the last drawing is old enough. Cheap enough for every step of a loop.
    ///
    /// - Parameter total: nil where it isn't known.
    mutating func update(_ done: Int64, of total: Int64?, note: String = "") {
        guard isShown else { return }
        let now = ContinuousClock.now
        guard now - started >= Self.quietInterval, drawn.map({ now - $0 >= Self.redrawInterval }) ?? true else {
            return
        }
        drawn = now
        let line = Self.line(
            title, done: done, of: total, unit: unit, note: note, elapsed: now - started, columns: Terminal.columns)
        // Back to the first column, and what an older, longer line left is erased.
        Terminal.writeError("\r\(line)\u{1b}[K")
    }

    /// Takes the line away.
    mutating func finish() {
        guard drawn != nil else { return }
        Terminal.writeError("\r\u{1b}[K")
        drawn = nil
    }

    /// One line of at most `columns` columns; ASCII apart from the bar's own blocks.
    static func line(
        _ title: String, done: Int64, of total: Int64?, unit: Unit, note: String, elapsed: Duration, columns: Int
    ) -> String {
        let seconds = max(0.001, elapsed.inSeconds)
        let rate = Double(done) / seconds
        var tail: [String] = []
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            tail.append("\(Int(share * 100))%")
            tail.append("\(text(rate, unit))/s")
            if !note.isEmpty { tail.append(note) }
            if rate > 0 { tail.append("\(clock(Double(total - done) / rate)) left") }
            let end = tail.joined(separator: "  ")
            let width = min(40, columns - title.count - end.count - 5)
            guard width >= 8 else { return String("\(title)  \(end)".prefix(max(0, columns - 1))) }
            let full = Int(share * Double(width))
            let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
            return "\(title)  \(bar)  \(end)"
        }
        tail = [title, text(Double(done), unit), "\(text(rate, unit))/s"]
        if !note.isEmpty { tail.append(note) }
        return String(tail.joined(separator: "  ").prefix(max(0, columns - 1)))
    }

    private static func text(_ value: Double, _ unit: Unit) -> String {
        switch unit {
        case .bytes:
            let units = ["B", "KiB", "MiB", "GiB", "TiB"]
            var value = value
            var index = 0
            while value >= 1024 && index < units.count - 1 {
                value /= 1024
                index += 1
            }
            return "\(short(value)) \(units[index])"
        case .count(let name):
            let text =
                value >= 1e6 ? "\(short(value / 1e6))M" : value >= 1e4 ? "\(short(value / 1e3))k" : "\(Int(value))"
            return "\(text) \(name)"
        }
    }

    /// Two or more digits: `1.2`, `12`, `345`.
    private static func short(_ value: Double) -> String {
        value < 10 ? "\((value * 10).rounded(.down) / 10)" : "\(Int(value))"
    }

    private static func clock(_ seconds: Double) -> String {
        let seconds = Int(min(max(0, seconds), 359_999))
        let rest = "\(seconds % 60)"
        return "\(seconds / 60):\(rest.count < 2 ? "0" : "")\(rest)"
    }
}
