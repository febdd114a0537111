import Foundation

/// A text as search sees it: runs of letters or digits in NFKC and lower case.
///
/// Hangul, kana and Chinese characters are written without a blank between a word and its particle, so any part of such a
/// run is found; every other run is a word, which is found whole. A change of script ends a run: `BTS콘서트` has two.
package struct SearchText: Sendable, Equatable {
    enum Script { case syllables, word }

    struct Run: Hashable, Sendable {
        var text: String
        var script: Script

        /// What stands in the normalized text exactly where this run of a query is found.
        ///
        /// A single syllable is found where a run begins with it: inside of others it would stand for nothing.
        var pattern: String {
            switch script {
            case .word: " \(text) "
            case .syllables: text.unicodeScalars.count == 1 ? " \(text)" : text
            }
        }

        /// The terms that a text has wherever it has the pattern.
        var queryTerms: [String] {
            guard script == .syllables else { return [text] }
            let scalars = Array(text.unicodeScalars)
            return scalars.count == 1 ? [Self.first(scalars[0])] : Self.bigrams(scalars)
        }

        /// All terms that queries for any part of this run may ask for.
        var storedTerms: [String] {
            guard script == .syllables else { return [text] }
            let scalars = Array(text.unicodeScalars)
            return [Self.first(scalars[0])] + Self.bigrams(scalars)
        }

        /// No letter or digit: no other term begins with it.
        private static func first(_ scalar: Unicode.Scalar) -> String { "^\(scalar)" }

        private static func bigrams(_ scalars: [Unicode.Scalar]) -> [String] {
            zip(scalars, scalars.dropFirst()).map { "\($0)\($1)" }
        }
    }

    let runs: [Run]

    /// - Parameter maxCharacters: what is beyond is not looked at.
    package init(_ text: String, maxCharacters: Int = .max) {
        var runs: [Run] = []
        var current = ""
        var script: Script?
        func end() {
            if let script, !current.isEmpty { runs.append(Run(text: current, script: script)) }
            current = ""
            script = nil
        }
        for scalar in String(text.prefix(maxCharacters)).precomposedStringWithCompatibilityMapping.lowercased()
            .unicodeScalars
        {
            let next = Self.script(of: scalar)
            // What changes the letter before it, such as an accent that no letter is composed with.
            if next == nil, script != nil, scalar.properties.generalCategory == .nonspacingMark {
                current.unicodeScalars.append(scalar)
                continue
            }
            if next != script { end() }
            guard let next else { continue }
            script = next
            current.unicodeScalars.append(scalar)
        }
        end()
        self.runs = runs
    }

    private static func script(of scalar: Unicode.Scalar) -> Script? {
        switch scalar.value {
        case 0xac00...0xd7a3, 0x3041...0x30ff, 0x3400...0x4dbf, 0x4e00...0x9fff: .syllables
        default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil ? .word : nil
        }
    }

    /// The runs with blanks around them; empty where there is none.
    package var normalized: String { runs.isEmpty ? "" : " \(runs.map(\.text).joined(separator: " ")) " }

    /// Each once, in the order of bytes.
    package var terms: [String] {
        Set(runs.flatMap(\.storedTerms)).filter { $0.utf8.count <= Self.maxTermBytes }.sorted()
    }

    /// Longer words are no terms: Postgres's own bound is 2,046.
    static let maxTermBytes = 256
}
