import Core
import Storage

/// Proves that the stored pieces of some slots are what raw beacons give, and counts the sessions that begin there.
///
/// Each stored piece must cover every fragment of its key, and some fragment must reach each of its ends: then it is what
/// merging the fragments would give, and nothing has to be sorted or merged for it. The slots next to those that are proven are
/// taken as they are stored: proving their days is what proves them.
struct SessionProof {
    /// What a session did on an entity within one slot, or a part of it.
    struct Fragment: BitwiseCopyable {
        var session: UInt64
        var entity: Int32
        var slot: Int32
        var first: Int64
        var last: Int64
    }

    /// A stored piece, and what is known of it: small, as all of it is looked at for each fragment.
    private struct Piece {
        var session: UInt64
        var origin: Int64
        /// In milliseconds from the slot's start.
        var first: Int32
        var last: Int32
        /// -1 until a fragment tells.
        var entity: Int32 = -1
        /// Bit 0: some fragment begins where it does; bit 1: one ends where it does.
        var reached: UInt8 = 0
    }

    /// The pieces of one slot, ascending by session.
    private struct Slot {
        private(set) var pieces: [Piece]
        /// By the leading bits of a session: where those with them, or with greater ones, begin.
        private var starts: [Int32]
        private let shift: UInt64
        private let start: Int64

        init(_ slot: Int32, _ pieces: [SessionPiece]) {
            let start = SessionPiece.start(ofSlot: slot)
            self.start = start
            self.pieces = pieces.map {
                Piece(
                    session: $0.session, origin: $0.origin, first: Int32($0.first - start), last: Int32($0.last - start)
                )
            }
            // About two to a place.
            let bits = max(1, min(24, 63 - UInt64(pieces.count | 1).leadingZeroBitCount))
            shift = UInt64(64 - bits)
            starts = [Int32](repeating: 0, count: (1 << bits) + 1)
            for piece in pieces { starts[Int(truncatingIfNeeded: piece.session >> shift) + 1] += 1 }
            for place in 1..<starts.count { starts[place] += starts[place - 1] }
        }

        /// As it is stored.
        func sessionPiece(_ index: Int) -> SessionPiece {
            let piece = pieces[index]
            return SessionPiece(
                session: piece.session, first: start + Int64(piece.first), last: start + Int64(piece.last),
                origin: piece.origin)
        }

        /// False where no piece can be of one of the fragments.
        ///
        /// - Parameter range: of fragments of this slot.
        mutating func see(_ fragments: [Fragment], _ range: Range<Int>) -> Bool {
            Self.see(fragments.span, range, &pieces, starts, shift, start)
        }

        private static func see(
            _ fragments: Span<Fragment>, _ range: Range<Int>, _ pieces: inout [Piece], _ starts: [Int32],
            _ shift: UInt64, _ start: Int64
        ) -> Bool {
            let starts = starts.span
            var pieces = pieces.mutableSpan
            for number in range {
                let fragment = fragments[number]
                let place = Int(truncatingIfNeeded: fragment.session >> shift)
                let (lower, upper) = (Int(starts[place]), Int(starts[place + 1]))
                let first = Int32(truncatingIfNeeded: fragment.first - start)
                let last = Int32(truncatingIfNeeded: fragment.last - start)
                var index = lower
                while index < upper, pieces[index].session < fragment.session { index += 1 }
                guard index < upper else { return false }
                var piece = pieces[index]
                guard piece.session == fragment.session, piece.first <= first, last <= piece.last,
                    piece.entity == fragment.entity || piece.entity == -1
                else { return false }
                piece.entity = fragment.entity
                piece.reached |= (piece.first == first ? 1 : 0) | (piece.last == last ? 2 : 0)
                pieces[index] = piece
            }
            return true
        }
    }

    /// A session that ends after the instants counted is followed through so many further slots, four days; one that goes on
    /// for longer is left to the exact comparison.
    static let maxSlotsBeyond: Int32 = 192

    /// Fragments that are looked for together.
    static let maxPending = 1 << 15
    /// By so many of a session's leading bits: pieces near each other are then looked at one after the other.
    private static let orderBits: UInt64 = 11

    private let firstSlot: Int32
    /// The last that was looked at.
    private(set) var lastSlot: Int32
    private let calendar: ReportingCalendar
    private var slots: [Slot] = []
    /// Those before the first slot: whose sessions may go on in it.
    private var before: [SessionPiece]
    private var pending: [Fragment] = []
    /// Those pending, in order.
    private var ordered: [Fragment] = []
    /// False as soon as something disagrees.
    private(set) var holds = true
    /// Whether that is a session which goes on for longer than one is followed.
    private(set) var isTooLong = false

    /// - Parameter instants: whole hours.
    init(_ instants: Range<Int64>, calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        self.calendar = calendar
        firstSlot = SessionPiece.slot(of: instants.lowerBound)
        let lastSlot = SessionPiece.slot(of: instants.upperBound - 1)
        self.lastSlot = lastSlot
        var pieces = [[SessionPiece]](repeating: [], count: Int(lastSlot - firstSlot) + 2)
        let firstSlot = firstSlot
        try SessionLedger.read(Array(firstSlot - 1...lastSlot), calendar, on: connection) { slot, _, _, run in
            let index = Int(slot - firstSlot) + 1
            pieces[index] = pieces[index].isEmpty ? run : SessionPiece.merged(pieces[index], run)
        }
        before = pieces.removeFirst()
        for index in pieces.indices {
            slots.append(Slot(firstSlot + Int32(index), pieces[index]))
            pieces[index] = []
        }
    }

    /// What is wrong may show only when some more were seen.
    mutating func see(_ fragment: Fragment) {
        pending.append(fragment)
        if pending.count == Self.maxPending { seePending() }
    }

    private mutating func seePending() {
        // Each is somewhere else in memory: one after the other as they come, each would be waited for. So slot by slot,
        // nearly always of one or two, by the leading bits of their sessions.
        guard var slots = pending.first.map({ (low: $0.slot, high: $0.slot) }) else { return }
        for fragment in pending {
            slots = (min(slots.low, fragment.slot), max(slots.high, fragment.slot))
        }
        guard slots.low >= firstSlot, Int(slots.high - firstSlot) < self.slots.count else { return holds = false }
        let places = 1 << Int(Self.orderBits)
        var starts = [Int](repeating: 0, count: Int(slots.high - slots.low + 1) * places + 1)
        let shift = 64 - Self.orderBits
        func place(_ fragment: Fragment) -> Int {
            Int(fragment.slot &- slots.low) &* places &+ Int(truncatingIfNeeded: fragment.session >> shift)
        }
        for fragment in pending { starts[place(fragment) + 1] += 1 }
        for place in 1..<starts.count { starts[place] += starts[place - 1] }
        while ordered.count < pending.count {
            ordered.append(Fragment(session: 0, entity: 0, slot: 0, first: 0, last: 0))
        }
        // Here starts move to the ends as the fragments are dealt out.
        for fragment in pending {
            let place = place(fragment)
            ordered[starts[place]] = fragment
            starts[place] += 1
        }
        var start = 0
        for slot in slots.low...slots.high where holds {
            let end = starts[Int(slot - slots.low + 1) * places - 1]
            if end > start { holds = self.slots[Int(slot - firstSlot)].see(ordered, start..<end) }
            start = end
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// Proves that every piece is some fragments', and that those that belong together know when they began; counts
    /// the sessions that begin here.
    mutating func finish(into rows: inout RowProof, on connection: PostgresConnection) throws {
        seePending()
        pending = []
        ordered = []
        guard holds else { return }
        for slot in slots {
            holds = slot.pieces.allSatisfy { $0.reached == 3 }
            guard holds else { return }
        }
        var goingOn: [(piece: SessionPiece, entity: Int32)] = []
        for index in slots.indices where holds {
            let begun = chain(index, &rows)
            if index == slots.count - 1 { goingOn = begun }
        }
        try follow(goingOn, into: &rows, on: connection)
    }

    /// Goes through the pieces of one slot beside those of the slot before.
    ///
    /// - Returns: of the last slot, those of sessions that begin here.
    private mutating func chain(_ index: Int, _ rows: inout RowProof) -> [(piece: SessionPiece, entity: Int32)] {
        var begun: [(piece: SessionPiece, entity: Int32)] = []
        let start = SessionPiece.start(ofSlot: firstSlot)
        let count = index == 0 ? before.count : slots[index - 1].pieces.count
        var position = 0
        for place in slots[index].pieces.indices {
            let piece = slots[index].sessionPiece(place)
            let entity = slots[index].pieces[place].entity
            while position < count, session(before: index, position) < piece.session { position += 1 }
            if position < count, session(before: index, position) == piece.session,
                case let previous = index == 0 ? before[position] : slots[index - 1].sessionPiece(position),
                previous.goesOn(to: piece)
            {
                guard piece.origin == previous.origin else {
                    holds = false
                    return []
                }
                if piece.origin >= start {
                    rows.addSessions(
                        0, milliseconds: piece.last - previous.last, entity: entity, startingAt: piece.origin)
                }
            } else {
                guard piece.origin == piece.first else {
                    holds = false
                    return []
                }
                rows.addSessions(1, milliseconds: piece.last - piece.first, entity: entity, startingAt: piece.origin)
            }
            if piece.origin >= start, index == slots.count - 1 { begun.append((piece, entity)) }
        }
        return begun
    }

    /// That of a piece of the slot before.
    private func session(before index: Int, _ position: Int) -> UInt64 {
        index == 0 ? before[position].session : slots[index - 1].pieces[position].session
    }

    /// Slots after those counted, one at a time, until no session that begins here goes on.
    private mutating func follow(
        _ sessions: [(piece: SessionPiece, entity: Int32)], into rows: inout RowProof,
        on connection: PostgresConnection
    ) throws {
        var unfinished = sessions
        var slot = firstSlot + Int32(slots.count)
        let end = slot + Self.maxSlotsBeyond
        while holds, !unfinished.isEmpty {
            guard slot < end else { return (holds, isTooLong) = (false, true) }
            lastSlot = slot
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
                rows.addSessions(
                    0, milliseconds: next[position].last - piece.last, entity: entity, startingAt: piece.origin)
                continued.append((next[position], entity))
            }
            unfinished = continued
            slot += 1
        }
    }
}
