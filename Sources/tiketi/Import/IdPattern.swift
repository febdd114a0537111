import Core

/// A pattern whose last capture group finds an artist's or event's id in a path. Not Sendable: `Regex` isn't.
struct IdPattern {
    enum Invalid: Error, Equatable {
        case syntax(pattern: String, reason: String)
        case noGroup(pattern: String)
    }

    /// Answers that are kept, since a site has far fewer paths than a log has lines. Forgotten together when full.
    static let maxRemembered = 65_536

    private let regex: Regex<AnyRegexOutput>
    private var remembered: [ExactText: String?] = [:]
    var rememberedCount: Int { remembered.count }

    init(_ pattern: String) throws(Invalid) {
        do {
            // By scalars: a path is code points, and what a reader takes for one character doesn't matter to it.
            regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
        } catch {
            throw .syntax(pattern: pattern, reason: "\(error)")
        }
        // The empty alternative matches, whatever the pattern, and shows how many groups there are.
        if let groups = try? Regex("(?:\(pattern))|").wholeMatch(in: ""), groups.output.count < 2 {
            throw .noGroup(pattern: pattern)
        }
    }

    /// The text of the last group where the pattern matches somewhere in the path; nil where that is nothing.
    mutating func id(in path: String) -> String? {
        if let known = remembered[ExactText(path)] { return known }
        var id: String?
        if let match = try? regex.firstMatch(in: path), let text = match.output[match.output.count - 1].substring,
            !text.isEmpty
        {
            id = String(text)
        }
        if remembered.count == Self.maxRemembered { remembered.removeAll(keepingCapacity: true) }
        remembered.updateValue(id, forKey: ExactText(path))
        return id
    }
}

extension IdPattern.Invalid: CustomStringConvertible {
    var description: String {
        switch self {
        case .syntax(let pattern, let reason): "'\(pattern)' is no regular expression: \(reason)"
        case .noGroup(let pattern): "'\(pattern)' has no group such as ([^/]+) to take the id from"
        }
    }
}
