import Core
import Storage

/// Proves that the stored pieces of some slots are what raw beacons give, and counts the sessions that begin there.
///
/// Each stored piece must cover every fragment of its key, and some fragment must reach each of its ends: then it is what
/// merging the fragments would give, and nothing has to be sorted or merged for it. The slots next to those that are proven are
/// taken as they are stored: proving their days is what proves them.
struct SessionProof {
    /// The pieces of one slot, ascending by session.
    private struct Slot {
        var pieces: [SessionPiece]
        /// By piece, as soon as a fragment tells.
        var entities: [Int32]
        /// By piece: bit 0 some fragment begins where it does, bit 1 one ends where it does.
        var reached: [UInt8]
        /// By the leading bits of a session: where those with them, or with greater ones, begin.
        private var starts: [Int32]
        private let shift: UInt64

        init(_ pieces: [SessionPiece]) {
            self.pieces = pieces
            entities = [Int32](repeating: -1, count: pieces.count)
            reached = [UInt8](repeating: 0, count: pieces.count)
            // About two to a place.
            let bits = max(1, min(24, 63 - UInt64(pieces.count | 1).leadingZeroBitCount))
            shift = UInt64(64 - bits)
            starts = [Int32](repeating: 0, count: (1 << bits) + 1)
            for piece in pieces { starts[Int(truncatingIfNeeded: piece.session >> shift) + 1] += 1 }
            for place in 1..<starts.count { starts[place] += starts[place - 1] }
        }

        /// False where no piece can be of the fragment.
        mutating func see(_ fragment: SessionFragment) -> Bool {
            let place = Int(truncatingIfNeeded: fragment.session >> shift)
            var index = Int(starts[place])
            let end = Int(starts[place + 1])
            while index < end, pieces[index].session < fragment.session { index += 1 }
            guard index < end, pieces[index].session == fragment.session else { return false }
            let (first, last) = (pieces[index].first, pieces[index].last)
            guard first <= fragment.first, fragment.last <= last else { return false }
            reached[index] |= (first == fragment.first ? 1 : 0) | (last == fragment.last ? 2 : 0)
            guard entities[index] == fragment.entity else {
                guard entities[index] == -1 else { return false }
                entities[index] = fragment.entity
                return true
            }
            return true
        }
    }

    /// A session that ends after the instants counted is followed through so many further slots, four days; one that goes on
    /// for longer is left to the exact comparison.
    static let maxSlotsBeyond: Int32 = 192

    private let firstSlot: Int32
    private let calendar: ReportingCalendar
    private var slots: [Slot] = []
    /// Those before the first slot: whose sessions may go on in it.
    private var before: [SessionPiece]
    /// False as soon as something disagrees.
    private(set) var holds = true

    /// - Parameter instants: whole hours.
    init(_ instants: Range<Int64>, calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        self.calendar = calendar
        firstSlot = SessionPiece.slot(of: instants.lowerBound)
        let lastSlot = SessionPiece.slot(of: instants.upperBound - 1)
        var pieces = [[SessionPiece]](repeating: [], count: Int(lastSlot - firstSlot) + 2)
        let firstSlot = firstSlot
        try SessionLedger.read(Array(firstSlot - 1...lastSlot), calendar, on: connection) { slot, _, _, run in
            let index = Int(slot - firstSlot) + 1
            pieces[index] = pieces[index].isEmpty ? run : SessionPiece.merged(pieces[index], run)
        }
        before = pieces.removeFirst()
        slots = pieces.map { Slot($0) }
    }

    mutating func see(_ fragments: [SessionFragment]) {
        for fragment in fragments {
            let slot = Int(fragment.slot - firstSlot)
            guard slots.indices.contains(slot), slots[slot].see(fragment) else {
                holds = false
                return
            }
        }
    }

    /// Proves that every piece is some fragments', and that those that belong together know when they began; adds the
    /// sessions that begin here to the fold's hours.
    mutating func finish(into fold: inout Fold, on connection: PostgresConnection) throws {
        var previous = before
        // Of sessions that begin here.
        var goingOn: [(piece: SessionPiece, entity: Int32)] = []
        for index in slots.indices where holds {
            holds = slots[index].reached.allSatisfy { $0 == 3 }
            guard holds else { return }
            let isLast = index == slots.count - 1
            chain(previous, slots[index].pieces, slots[index].entities, &fold) { piece, entity in
                if isLast { goingOn.append((piece, entity)) }
            }
            previous = slots[index].pieces
            // Each is looked at once more, as the one before the next.
            if index > 0 { slots[index - 1] = Slot([]) }
        }
        try follow(goingOn, into: &fold, on: connection)
    }

    /// Goes through the pieces of one slot beside those of the slot before.
    private mutating func chain(
        _ previous: [SessionPiece], _ pieces: [SessionPiece], _ entities: [Int32], _ fold: inout Fold,
        _ each: (SessionPiece, Int32) -> Void
    ) {
        let start = SessionPiece.start(ofSlot: firstSlot)
        var position = 0
        for index in pieces.indices {
            let piece = pieces[index]
            while position < previous.count, previous[position].session < piece.session { position += 1 }
            if position < previous.count, previous[position].session == piece.session,
                previous[position].goesOn(to: piece)
            {
                guard piece.origin == previous[position].origin else { return holds = false }
                if piece.origin >= start {
                    fold.addSessions(
                        0, milliseconds: piece.last - previous[position].last, entity: entities[index],
                        startingAt: piece.origin)
                }
            } else {
                guard piece.origin == piece.first else { return holds = false }
                fold.addSessions(
                    1, milliseconds: piece.last - piece.first, entity: entities[index], startingAt: piece.origin)
            }
            if piece.origin >= start { each(piece, entities[index]) }
        }
    }

    /// Slots after those counted, one at a time, until no session that begins here goes on.
    private mutating func follow(
        _ sessions: [(piece: SessionPiece, entity: Int32)], into fold: inout Fold, on connection: PostgresConnection
    ) throws {
        var unfinished = sessions
        var slot = firstSlot + Int32(slots.count)
        let end = slot + Self.maxSlotsBeyond
        while holds, !unfinished.isEmpty {
            guard slot < end else { return holds = false }
            var next: [SessionPiece] = []
            try SessionLedger.read([slot], calendar, on: connection) { _, _, _, run in
                next = next.isEmpty ? run : SessionPiece.merged(next, run)
            }
            var continued: [(piece: SessionPiece, entity: Int32)] = []
            var position = 0
            for (piece, entity) in unfinished {
                while position < next.count, next[position].session < piece.session { position += 1 }
                guard position < next.count, next[position].session == piece.session, piece.goesOn(to: next[position])
                else { continue }
                guard next[position].origin == piece.origin else { return holds = false }
                fold.addSessions(
                    0, milliseconds: next[position].last - piece.last, entity: entity, startingAt: piece.origin)
                continued.append((next[position], entity))
            }
            unfinished = continued
            slot += 1
        }
    }
}
