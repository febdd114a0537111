import TestSupport

/// A directory's names, as the operating system has them, and as the medium may have them.
///
/// Each change since the last sync is on the medium or not, independently of the others; a rename is one change.
struct SimulatedEntries {
    private struct Change {
        /// The file of each name after the change; nil where there is none.
        var files: [(name: String, file: Int?)]

        func apply(to entries: inout [String: Int]) {
            for (name, file) in files { entries[name] = file }
        }
    }

    /// The files by name.
    private(set) var files: [String: Int] = [:]
    private var medium: [String: Int] = [:]
    private var changes: [Change] = []

    /// The files that have a name, or may have one after a loss of power.
    var reachable: Set<Int> {
        var reachable = Set(files.values).union(medium.values)
        for change in changes { reachable.formUnion(change.files.compactMap(\.file)) }
        return reachable
    }

    mutating func set(_ files: [(name: String, file: Int?)]) {
        let change = Change(files: files)
        change.apply(to: &self.files)
        changes.append(change)
    }

    mutating func synchronize() {
        for change in changes { change.apply(to: &medium) }
        changes.removeAll()
    }

    /// A sync that failed: any of the changes may have reached the medium, and none will be tried again.
    mutating func failSynchronizing(_ random: inout SeededGenerator) {
        let fate = SimulatedContent.Fate.allCases[Int(random.next() % 4)]
        for change in changes where fate.kept(of: 1, &random) == 1 { change.apply(to: &medium) }
        changes.removeAll()
    }

    mutating func losePower(_ random: inout SeededGenerator) {
        failSynchronizing(&random)
        files = medium
    }
}
