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
    /// Of the group that is being settled.
    private var links: [Link] = []
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
        let new = Int(group.fragments.lowerBound)..<Int(group.fragments.upperBound)
        if group.lastStored < 0, new.count == 1 {
            // Most keys: one piece, and the first of it.
            fold.addSession(fragments[new.lowerBound])
            write(SessionPiece(fragments[new.lowerBound]))
            return true
        }
        gatherLinks(group, new)
        // All or none: a group is counted once.
        var start = 0
        while start < links.count {
            let end = end(ofChainFrom: start)
            let last = links[end - 1]
            let next = last.piece.slot + 1
            if let before = last.before, before.origin != origin(of: start..<end),
                !fragments[new].contains(where: { abs($0.slot - next) <= 1 }),
                further[number, default: []].insert(next).inserted
            {
                wanted[next, default: []].append(number)
                return false
            }
            start = end
        }
        start = 0
        while start < links.count {
            let end = end(ofChainFrom: start)
            count(start..<end, fragments[new.lowerBound].entity, in: &fold)
            start = end
        }
        return true
    }

    /// What is known of the group by slot, ascending, into `links`.
    private mutating func gatherLinks(_ group: Group, _ new: Range<Int>) {
        links.removeAll(keepingCapacity: true)
        for fragment in fragments[new] { links.append(Link(piece: SessionPiece(fragment), before: nil)) }
        guard group.lastStored >= 0 else { return }
        var next = group.lastStored
        while next >= 0 {
            let (piece, previous) = stored[Int(next)]
            links.append(Link(piece: piece, before: piece))
            next = previous
        }
        links.sort { $0.piece.slot < $1.piece.slot }
        var merged = 0
        for index in 1..<links.count {
            if links[index].piece.slot == links[merged].piece.slot {
                links[merged].piece.merge(links[index].piece)
                if let before = links[index].before {
                    links[merged].before?.merge(before)
                    links[merged].before = links[merged].before ?? before
                }
            } else {
                merged += 1
                links[merged] = links[index]
            }
        }
        links.removeSubrange((merged + 1)...)
    }

    private func end(ofChainFrom start: Int) -> Int {
        var end = start + 1
        while end < links.count, links[end - 1].piece.goesOn(to: links[end].piece) { end += 1 }
        return end
    }

    /// When the session of a chain begins, which may be before the chain.
    private func origin(of chain: Range<Int>) -> Int64 {
        chain.reduce(Int64.max) { min($0, links[$1].piece.origin) }
    }

    private mutating func count(_ chain: Range<Int>, _ entity: Int32, in fold: inout Fold) {
        let origin = origin(of: chain)
        // The sessions that the chain's pieces were of: as a rule none, or the same one.
        var old: (origin: Int64, end: Int64)?
        var isSame = false
        let end = links[chain.upperBound - 1].piece.last
        func take(_ session: (origin: Int64, end: Int64)?, isOnly: Bool) {
            guard let session else { return }
            if isOnly, session.origin == origin, session.end == end {
                isSame = true
            } else {
                fold.addSessions(
                    -1, milliseconds: session.origin - session.end, entity: entity, startingAt: session.origin)
            }
        }
        var oldCount = 0
        for index in chain {
            guard let before = links[index].before else { continue }
            if let current = old, current.origin == before.origin {
                old = (current.origin, max(current.end, before.last))
            } else {
                take(old, isOnly: false)
                old = (before.origin, before.last)
                oldCount += 1
            }
        }
        take(old, isOnly: oldCount == 1)
        if !isSame { fold.addSessions(1, milliseconds: end - origin, entity: entity, startingAt: origin) }
        for index in chain {
            var piece = links[index].piece
            piece.origin = origin
            if piece != links[index].before { write(piece) }
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
