import Storage

/// What a text must have to be found: of each group one of its alternatives, of that every run.
package struct SearchQuery: Sendable, Equatable {
    package static let maxCharacters = 100
    /// More names for one run are left out.
    static let maxAlternatives = 8

    let groups: [[[SearchText.Run]]]

    package init(_ text: String, keywords: Keywords) {
        var groups: [[[SearchText.Run]]] = []
        let runs = SearchText(text).runs
        var position = 0
        while position < runs.count {
            let (length, others) = keywords.names(at: position, in: runs)
            groups.append([Array(runs[position..<(position + length)])] + others.prefix(Self.maxAlternatives - 1))
            position += length
        }
        self.groups = groups
    }

    /// Without letters or digits there is nothing to look for.
    package var isEmpty: Bool { groups.isEmpty }

    /// For the index: a superset of what is found, since bigrams don't say where they stand. Terms are letters and digits,
    /// after `^` at most: in quotes none of them is an operator.
    ///
    /// Terms that more than `common` events have are left out where others stand beside them: what is found has them
    /// by its texts, and the index would read all that it has of them.
    func tsquery(common: Double = .infinity, _ frequency: (String) -> Double? = { _ in nil }) -> String {
        let telling = groups.filter { estimate([$0], frequency) <= common }
        return (telling.isEmpty ? groups : telling).map { group in
            let alternatives = group.map { runs in
                let terms = Set(runs.flatMap(\.queryTerms)).sorted {
                    (frequency($0) ?? 0, $0) < (frequency($1) ?? 0, $1)
                }
                let rare = terms.prefix { (frequency($0) ?? 0) <= common }
                return (rare.isEmpty ? terms.prefix(1) : rare).map { "'\($0)'" }.joined(separator: " & ")
            }
            return "(" + alternatives.map { "(\($0))" }.joined(separator: " | ") + ")"
        }.joined(separator: " & ")
    }

    /// Whether a column of normalized text has it.
    func condition(on column: String) -> SQL {
        var sql: SQL = "true"
        for group in groups {
            var any: SQL = "false"
            for runs in group {
                var all: SQL = "true"
                for run in Set(runs).sorted(by: { $0.text < $1.text }) {
                    all = all + " AND strpos(\(unescaped: column), \(run.pattern)) > 0"
                }
                any = any + " OR (\(sql: all))"
            }
            sql = sql + " AND (\(sql: any))"
        }
        return sql
    }

    /// At most so many events are found, as far as the terms' frequencies tell.
    ///
    /// - Parameter frequency: of a term, in events; nil where it is too rare to be known.
    func estimate(_ frequency: (String) -> Double?) -> Double { estimate(groups, frequency) }

    private func estimate(_ groups: [[[SearchText.Run]]], _ frequency: (String) -> Double?) -> Double {
        groups.map { group in
            group.map { runs in
                runs.flatMap(\.queryTerms).map { frequency($0) ?? 0 }.min() ?? 0
            }.reduce(0, +)
        }.min() ?? 0
    }
}
