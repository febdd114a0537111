/// Where a page of a search ended, and the instant of its first page: all its pages are of one order.
package struct SearchCursor: Sendable, Equatable {
    package var now: Int64
    package var rank: EventSearch.Rank

    package init(now: Int64, rank: EventSearch.Rank) {
        self.now = now
        self.rank = rank
    }

    var text: String { "\(now)_\(rank.isPast ? 1 : 0)_\(rank.tier)_\(rank.distance)_\(rank.id)" }

    init?(_ text: String) {
        let parts = text.split(separator: "_", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, let now = Int64(parts[0]), EventDraft.instants.contains(now),
            ["0", "1"].contains(parts[1]), let tier = Int(parts[2]), (0...2).contains(tier),
            let distance = Int64(parts[3]), distance >= 0, CatalogueID.isValid(parts[4])
        else { return nil }
        self.now = now
        rank = EventSearch.Rank(isPast: parts[1] == "1", tier: tier, distance: distance, id: String(parts[4]))
    }
}
