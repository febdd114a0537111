/// The keyword pairs, to be looked up by either side.
package struct Keywords: Sendable, Equatable {
    private let names: [[SearchText.Run]: [[SearchText.Run]]]
    /// Runs of the longest name.
    private let longest: Int

    package init(_ pairs: [KeywordPair] = []) {
        var names: [[SearchText.Run]: [[SearchText.Run]]] = [:]
        for pair in pairs {
            let (korean, english) = (SearchText(pair.korean).runs, SearchText(pair.english).runs)
            guard !korean.isEmpty, !english.isEmpty else { continue }
            names[korean, default: []].append(english)
            names[english, default: []].append(korean)
        }
        self.names = names
        longest = names.keys.map(\.count).max() ?? 0
    }

    /// How many runs from there on are one name, the longest such, and the other names for it; one run without another
    /// name where there is none.
    func names(at position: Int, in runs: [SearchText.Run]) -> (length: Int, others: [[SearchText.Run]]) {
        var length = min(longest, runs.count - position)
        while length > 0 {
            if let others = names[Array(runs[position..<(position + length)])] { return (length, others) }
            length -= 1
        }
        return (1, [])
    }
}
