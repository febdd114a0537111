import Core

/// Joins a fold's fragments with the pieces that are stored, and counts the difference, new minus old, in the hours in
/// which the sessions begin. Pure: asks for the pieces it needs, and is given them.
///
/// A piece knows when its session began, so of a session that goes on the slots next to the fragment are enough. Only
/// where a late beacon changes when a session began are its later pieces asked for, slot by slot, to be told.
struct SessionJoin {
    /// Fragments of one session key, and the pieces known of it.
    private struct Group {
        var fragments: Range<Int32>
        /// The last of its pieces in `stored`; -1 without any.
        var lastStored: Int32 = -1
    }

    /// A slot of a key: before and after.
    private struct Link {
        var piece: SessionPiece
        var before: SessionPiece?
    }

    private let fragments: [SessionFragment]
    private var groups: [Group] = []
    /// Each with the one before it of the same group, or -1.
    private var stored: [(piece: SessionPiece, previous: Int32)] = []
    /// By slot the groups to look for there, ascending by session.
    private(set) var wanted: [Int32: [Int32]] = [:]
    private var unsettled: [Int32] = []
    /// By group the slots that were wanted besides those of its fragments and those next to them.
    private var further: [Int32: Set<Int32>] = [:]
    /// By slot what is new or changed, in no order.
    private(set) var written: [Int32: [SessionPiece]] = [:]

    /// - Parameter fragments: ascending by session and slot, at most one of each.
    init(_ fragments: [SessionFragment]) {
        self.fragments = fragments
        groups.reserveCapacity(fragments.count)
        // Nearly all fragments are of a few slots, and one after the other of the same.
        var lists: [Int32: Int] = [:]
        var groupsOf: [(slot: Int32, groups: [Int32])] = []
        var start = 0
        while start < fragments.count {
            let session = fragments[start].session
            var end = start + 1
            while end < fragments.count, fragments[end].session == session { end += 1 }
            let group = Int32(groups.count)
            groups.append(Group(fragments: Int32(start)..<Int32(end)))
            var next = Int32.min
            for fragment in fragments[start..<end] {
                let slot = fragment.slot
                for wanted in max(slot &- 1, next)...max(slot &+ 1, next) where wanted >= next {
                    if let list = lists[wanted] {
                        groupsOf[list].groups.append(group)
                    } else {
                        lists[wanted] = groupsOf.count
                        groupsOf.append((wanted, [group]))
                    }
                }
                next = max(next, slot &+ 2)
            }
            start = end
        }
        unsettled = groups.indices.map(Int32.init)
        for (slot, groups) in groupsOf { wanted[slot] = groups }
    }

    /// Adds a run of a slot that is wanted.
    ///
    /// - Parameter pieces: ascending by session.
    mutating func add(_ pieces: [SessionPiece], slot: Int32) {
        guard let wanted = wanted[slot] else { return }
        var position = 0
        for group in wanted {
            let session = fragments[Int(groups[Int(group)].fragments.lowerBound)].session
            while position < pieces.count, pieces[position].session < session { position += 1 }
            guard position < pieces.count else { return }
            guard pieces[position].session == session else { continue }
            stored.append((pieces[position], groups[Int(group)].lastStored))
            groups[Int(group)].lastStored = Int32(stored.count - 1)
        }
    }

    /// Counts all of which enough is known; for the others, more is wanted then.
    mutating func settle(in fold: inout Fold) {
        var open: [Int32] = []
        wanted = [:]
        for group in unsettled where !settle(group, in: &fold) { open.append(group) }
        unsettled = open
    }

    private mutating func settle(_ number: Int32, in fold: inout Fold) -> Bool {
        let group = groups[Int(number)]
        let new = fragments[Int(group.fragments.lowerBound)..<Int(group.fragments.upperBound)]
        let entity = new.first!.entity
        if group.lastStored < 0, new.count == 1 {
            // Most keys: one piece, and the first of it.
            let fragment = new.first!
            fold.addSessions(
                1, milliseconds: fragment.last - fragment.first, entity: entity, startingAt: fragment.first)
            write(SessionPiece(fragment))
            return true
        }
        let links = links(group, new)
        var chains: [Range<Int>] = []
        var start = 0
        while start < links.count {
            var end = start + 1
            while end < links.count, links[end - 1].piece.goesOn(to: links[end].piece) { end += 1 }
            chains.append(start..<end)
            start = end
        }
        // All or none: a group is counted once.
        for chain in chains {
            let last = links[chain.upperBound - 1]
            let next = last.piece.slot + 1
            guard let before = last.before, before.origin != origin(of: links[chain]) else { continue }
            if new.contains(where: { abs($0.slot - next) <= 1 }) { continue }
            if further[number, default: []].insert(next).inserted {
                wanted[next, default: []].append(number)
                return false
            }
        }
        for chain in chains { count(links[chain], entity, in: &fold) }
        return true
    }

    /// What is known of the group by slot, ascending.
    private func links(_ group: Group, _ new: ArraySlice<SessionFragment>) -> [Link] {
        var links = new.map { Link(piece: SessionPiece($0), before: nil) }
        var next = group.lastStored
        while next >= 0 {
            let (piece, previous) = stored[Int(next)]
            links.append(Link(piece: piece, before: piece))
            next = previous
        }
        links.sort { $0.piece.slot < $1.piece.slot }
        var merged: [Link] = []
        for link in links {
            guard let last = merged.last, last.piece.slot == link.piece.slot else {
                merged.append(link)
                continue
            }
            var both = last
            both.piece.merge(link.piece)
            if let before = link.before {
                both.before?.merge(before)
                both.before = both.before ?? before
            }
            merged[merged.count - 1] = both
        }
        return merged
    }

    /// When the session of a chain begins, which may be before the chain.
    private func origin(of chain: ArraySlice<Link>) -> Int64 {
        chain.reduce(Int64.max) { min($0, $1.piece.origin) }
    }

    private mutating func count(_ chain: ArraySlice<Link>, _ entity: Int32, in fold: inout Fold) {
        let origin = origin(of: chain)
        // The sessions that the chain's pieces were of: as a rule none, or the same one.
        var old: [(origin: Int64, end: Int64)] = []
        for before in chain.lazy.compactMap(\.before) {
            if old.last?.origin == before.origin {
                old[old.count - 1].end = max(old[old.count - 1].end, before.last)
            } else {
                old.append((before.origin, before.last))
            }
        }
        let end = chain.last!.piece.last
        if old.count != 1 || old[0].origin != origin || old[0].end != end {
            for session in old {
                fold.addSessions(
                    -1, milliseconds: session.origin - session.end, entity: entity, startingAt: session.origin)
            }
            fold.addSessions(1, milliseconds: end - origin, entity: entity, startingAt: origin)
        }
        for link in chain {
            var piece = link.piece
            piece.origin = origin
            if piece != link.before { write(piece) }
        }
    }

    private mutating func write(_ piece: SessionPiece) {
        written[piece.slot, default: []].append(piece)
    }
}

extension SessionPiece {
    /// A fragment by itself.
    init(_ fragment: SessionFragment) {
        self.init(
            session: fragment.session, first: fragment.first, last: fragment.last, origin: fragment.first)
    }
}
