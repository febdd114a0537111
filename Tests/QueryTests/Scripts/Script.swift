import Foundation

/// A test script: what is loaded, rolled up and asked, and what has to be answered (Tests/Scripts/README.md).
struct Script {
    enum Step {
        /// One batch of beacons.
        case load([Fields])
        case messages([Fields])
        case roll
        case clock(String)
        /// Raw beacons received more days ago than this.
        case drop(Int)
        /// Words of the question, and a table: the columns to look at, and a row each.
        case ask([String], expected: [[String]])
        /// The field that is to blame.
        case refuse([String], field: String)
    }

    /// A line such as `2025-12-01T10:00 page_view artist=iu`.
    struct Fields {
        var line: Int
        var time: String
        var kind: String
        private var values: [String: String] = [:]
        private var unread: Set<String> = []

        init(_ text: Substring, line: Int) throws {
            let words = text.split(separator: " ").map(String.init)
            guard words.count >= 2 else { throw Malformed(line: line, what: "a line is a time, a kind and name=value") }
            self.line = line
            time = words[0]
            kind = words[1]
            for word in words[2...] {
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, values.updateValue(parts[1], forKey: parts[0]) == nil else {
                    throw Malformed(line: line, what: "\(word) is not a new name=value")
                }
                unread.insert(parts[0])
            }
        }

        mutating func take(_ name: String) -> String? {
            unread.remove(name)
            return values[name]
        }

        mutating func need(_ name: String) throws -> String {
            guard let value = take(name) else { throw Malformed(line: line, what: "\(name) is missing") }
            return value
        }

        /// A misspelt name must not pass for an absent one.
        func finish() throws {
            if let name = unread.min() { throw Malformed(line: line, what: "\(name) is not known here") }
        }
    }

    struct Malformed: Error, CustomStringConvertible {
        var line: Int
        var what: String
        var description: String { "line \(line): \(what)" }
    }

    private(set) var steps: [(line: Int, step: Step)] = []

    init(_ text: String) throws {
        var heads: [(line: Int, words: [String], body: [(line: Int, text: Substring)])] = []
        for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = index + 1
            let text = text.prefix { $0 != "#" }
            if text.allSatisfy({ $0 == " " }) { continue }
            if text.first == " " {
                guard !heads.isEmpty else { throw Malformed(line: line, what: "nothing that this belongs to") }
                heads[heads.count - 1].body.append((line, text))
            } else {
                heads.append((line, text.split(separator: " ").map(String.init), []))
            }
        }
        for (line, words, body) in heads {
            func fields() throws -> [Fields] { try body.map { try Fields($0.text, line: $0.line) } }
            let rows = body.map { $0.text.split(separator: " ").map(String.init) }
            let step: Step
            switch (words[0], words.count, body.isEmpty) {
            case ("load", 1, false): step = .load(try fields())
            case ("messages", 1, false): step = .messages(try fields())
            case ("roll", 1, true): step = .roll
            case ("clock", 2, true): step = .clock(words[1])
            case ("drop", 2, true):
                guard let days = Int(words[1]) else {
                    throw Malformed(line: line, what: "\(words[1]) is no whole number")
                }
                step = .drop(days)
            case ("ask", 2..., false): step = .ask(Array(words[1...]), expected: rows)
            case ("refuse", 3..., true): step = .refuse(Array(words[2...]), field: words[1])
            default: throw Malformed(line: line, what: "\(words.joined(separator: " ")) is no step")
            }
            steps.append((line, step))
        }
    }
}
