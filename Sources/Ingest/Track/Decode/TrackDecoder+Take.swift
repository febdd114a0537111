import Core

/// Judges a scanned beacon and appends it to the records.
extension TrackDecoder {
    /// The members that get columns of their own, as they were found.
    private struct Columns {
        var path = BeaconFields.Slot()
        var referrer = BeaconFields.Slot()
        var userAgent = BeaconFields.Slot()
        var country = BeaconFields.Slot()
        var address = BeaconFields.Slot()
    }

    private struct Fault: Error {
        var field: TrackField
        var reason: Rejection.Reason

        init(_ field: TrackField, _ reason: Rejection.Reason) {
            self.field = field
            self.reason = reason
        }
    }

    /// Appends the beacon to the records, or rejects it for the first thing wrong, in the order of docs/reference.md.
    mutating func take(_ fields: BeaconFields, _ receipt: Receipt) {
        do throws(Fault) {
            try checkEventType(fields.eventType)
            try checkIdentifier(fields.artistId, .artistId)
            try checkIdentifier(fields.eventId, .eventId)
            let claimed = try claimedTime(fields.timestamp, receipt)
            try checkIdentifier(fields.visitorId, .visitorId)
            try checkIdentifier(fields.sessionId, .sessionId)
            try checkIdentifier(fields.messageId, .messageId)
            let columns = try keepMetadata(fields)
            append(fields, columns, claimed: claimed, receipt)
        } catch {
            outcome.reject(error.field, error.reason)
        }
    }

    private mutating func append(
        _ fields: BeaconFields, _ columns: Columns, claimed: Int64?, _ receipt: Receipt
    ) {
        // By raw values: the set's own operations are generic calls here.
        var flags: UInt8 = 0
        if claimed == nil { flags |= BeaconBatch.Flags.stamped.rawValue }
        if receipt.isPrivate { flags |= BeaconBatch.Flags.anonymous.rawValue }
        let time = claimed ?? receipt.receivedAt

        // Texts that don't lie in the body as they are wanted are made first, since their addresses have to last.
        made.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
        for _ in BeaconBatch.Text.allCases { texts.append(BeaconFields.Slot()) }
        texts[BeaconBatch.Text.eventType.rawValue] = unescaped(fields.eventType)
        texts[BeaconBatch.Text.artistId.rawValue] = unescaped(fields.artistId)
        texts[BeaconBatch.Text.eventId.rawValue] = unescaped(fields.eventId)
        texts[BeaconBatch.Text.messageId.rawValue] = unescaped(fields.messageId)
        if !receipt.isPrivate {
            texts[BeaconBatch.Text.visitorId.rawValue] = unescaped(fields.visitorId)
            texts[BeaconBatch.Text.sessionId.rawValue] = unescaped(fields.sessionId)
            if fields.visitorId.isMissing, fields.sessionId.isMissing {
                texts[BeaconBatch.Text.clientHash.rawValue] = make(clientHash(columns, receipt))
            }
            texts[BeaconBatch.Text.path.rawValue] = unescaped(columns.path)
            texts[BeaconBatch.Text.referrer.rawValue] = unescaped(columns.referrer)
            if !columns.userAgent.isMissing {
                texts[BeaconBatch.Text.userAgent.rawValue] = unescaped(columns.userAgent)
            } else if let userAgent = receipt.userAgent, !userAgent.isEmpty {
                texts[BeaconBatch.Text.userAgent.rawValue] = make(userAgent.utf8)
            }
            if !columns.country.isMissing {
                // Two ASCII letters, checked.
                let upper = withText(columns.country) { ($0[0] & 0xdf, $0[1] & 0xdf) }
                texts[BeaconBatch.Text.country.rawValue] = make([upper.0, upper.1])
            }
            if !kept.isEmpty { texts[BeaconBatch.Text.metadata.rawValue] = make(kept) }
        }
        withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: texts.count) { addresses in
            made.withUnsafeBytes { made in
                for index in 0..<texts.count {
                    let text = texts[index]
                    let address =
                        switch text.kind {
                        case .absent: UnsafeRawBufferPointer(start: nil, count: 0)
                        case .string: bytes(text.start, text.end)
                        default: UnsafeRawBufferPointer(rebasing: made[text.start..<text.end])
                        }
                    addresses.initializeElement(at: index, to: address)
                }
                let artist = addresses[BeaconBatch.Text.artistId.rawValue]
                if outcome.acceptedCount == 0, artist.baseAddress != nil {
                    outcome.artist = Murmur3.hash64(artist, seed: Self.artistSeed)
                }
                records.append(
                    receivedAt: receipt.receivedAt, timestamp: min(time, receipt.receivedAt), claimed: time,
                    flags: BeaconBatch.Flags(rawValue: flags), texts: UnsafeBufferPointer(addresses))
            }
        }
        outcome.acceptedCount += 1
    }

    /// Adds text to `made`. The slot's extent is within that, and its kind says so.
    private mutating func make(_ text: some Collection<UInt8>) -> BeaconFields.Slot {
        let start = made.count
        made.append(contentsOf: text)
        return BeaconFields.Slot(kind: .escapedString, start: start, end: made.count)
    }

    /// A slot of text without escapes: the given one, or one in `made`.
    private mutating func unescaped(_ slot: BeaconFields.Slot) -> BeaconFields.Slot {
        if slot.isMissing { return BeaconFields.Slot() }
        guard slot.kind == .escapedString else { return slot }
        let start = made.count
        JSONText.unescape(bytes(slot.start, slot.end), into: &made)
        return BeaconFields.Slot(kind: .escapedString, start: start, end: made.count)
    }

    private mutating func clientHash(_ columns: Columns, _ receipt: Receipt) -> [UInt8] {
        var address = columns.address.isMissing ? nil : withText(columns.address) { Array($0) }
        var userAgent = columns.userAgent.isMissing ? nil : withText(columns.userAgent) { Array($0) }
        if address == nil { address = Array(receipt.clientAddress.utf8) }
        if userAgent == nil { userAgent = Array((receipt.userAgent ?? "").utf8) }
        return address!.withUnsafeBytes { address in
            userAgent!.withUnsafeBytes { visitorHash(salt: receipt.salt, address: address, userAgent: $0) }
        }
    }

    /// The text of a string slot, escapes resolved.
    @inline(__always)
    private func withText<Result>(_ slot: BeaconFields.Slot, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if slot.kind == .escapedString {
            return JSONText.unescaped(bytes(slot.start, slot.end)).withUnsafeBytes(body)
        }
        return body(bytes(slot.start, slot.end))
    }
}

// MARK: - Checks

extension TrackDecoder {
    private func checkEventType(_ slot: BeaconFields.Slot) throws(Fault) {
        guard !slot.isMissing else { throw Fault(.eventType, .missing) }
        guard slot.isString else { throw Fault(.eventType, .notString) }
        let reason: Rejection.Reason? = withText(slot) { text in
            guard (1...Self.maxEventTypeBytes).contains(text.count) else { return .eventTypeLength }
            return text.allSatisfy(Self.isEventTypeCharacter) ? nil : .eventTypeCharacters
        }
        if let reason { throw Fault(.eventType, reason) }
    }

    private static func isEventTypeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func checkIdentifier(_ slot: BeaconFields.Slot, _ field: TrackField) throws(Fault) {
        guard !slot.isMissing else { return }
        guard slot.isString else { throw Fault(field, .notString) }
        let reason: Rejection.Reason? = withText(slot) { text in
            guard (1...Self.maxIdentifierBytes).contains(text.count) else { return .identifierLength }
            return Self.hasControlCharacter(text) ? .controlCharacter : nil
        }
        if let reason { throw Fault(field, reason) }
    }

    /// U+0000 to U+001F and U+007F to U+009F; the latter are 0x7f, and 0xc2 followed by 0x80 to 0x9f.
    private static func hasControlCharacter(_ text: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        // Eight at a time as long as all are printable ASCII: below 0x7f, and 0x20 or above.
        while position &+ 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let below = (word &- 0x2020_2020_2020_2020) & ~word
            let above = word | (word &+ 0x0101_0101_0101_0101)
            guard (below | above) & 0x8080_8080_8080_8080 == 0 else { break }
            position &+= 8
        }
        while position < text.count {
            let byte = text[position]
            if byte < 0x20 || byte == 0x7f || (byte == 0xc2 && text[position &+ 1] < 0xa0) { return true }
            position &+= 1
        }
        return false
    }

    /// The beacon's own time, nil where it has none.
    private func claimedTime(_ slot: BeaconFields.Slot, _ receipt: Receipt) throws(Fault) -> Int64? {
        if slot.isMissing { return nil }
        let time: Int64
        switch slot.kind {
        case .string, .escapedString:
            guard let parsed = withText(slot, { Instant.parse($0) }) else { throw Fault(.timestamp, .timestampKind) }
            time = parsed
        case .integer: time = integer(slot)
        default: throw Fault(.timestamp, .timestampKind)
        }
        guard time <= receipt.receivedAt + Self.maxAheadMs else { throw Fault(.timestamp, .tooFarAhead) }
        guard !receipt.limitsAge || time >= receipt.receivedAt - Self.maxAgeMs else { throw Fault(.timestamp, .tooOld) }
        guard time >= 0 else { throw Fault(.timestamp, .before1970) }
        return time
    }

    /// The integer written there; one that doesn't fit is as good as the nearest that does.
    private func integer(_ slot: BeaconFields.Slot) -> Int64 {
        let isNegative = json.base[slot.start] == UInt8(ascii: "-")
        var value: Int64 = 0
        for position in (isNegative ? slot.start + 1 : slot.start)..<slot.end {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(json.base[position] - 0x30))
            guard !overflow, !carry else { return isNegative ? .min : .max }
            value = sum
        }
        return isNegative ? -value : value
    }
}

// MARK: - Metadata

extension TrackDecoder {
    /// Divides `metadata`, and the members the beacon has no column for, into columns and what is kept as JSON.
    private mutating func keepMetadata(_ fields: BeaconFields) throws(Fault) -> Columns {
        var columns = Columns()
        kept.removeAll(keepingCapacity: true)
        let metadata = fields.metadata
        guard metadata.isMissing || metadata.kind == .object else { throw Fault(.metadata, .metadataKind) }
        let bytes = fields.unknownBytes + (metadata.kind == .object ? metadata.end - metadata.start : 0)
        guard bytes <= Self.maxMetadataBytes else { throw Fault(.metadata, .metadataSize) }
        guard !metadataMembers.isEmpty || !unknownMembers.isEmpty else { return columns }
        dropReplacedMembers()
        for member in metadataMembers { try keep(member, &columns) }
        for member in unknownMembers { try keep(member, &columns) }
        if !kept.isEmpty { kept.append(UInt8(ascii: "}")) }
        return columns
    }

    private mutating func keep(_ member: BeaconFields.Member, _ columns: inout Columns) throws(Fault) {
        if member.key.kind == .absent { return }
        switch column(of: member.key) {
        case .ip:
            if member.value.isString { columns.address = member.value }
            return
        case .path where member.value.isString:
            if try isColumn(member.value, .path) { return columns.path = notEmpty(member.value) }
        case .referrer where member.value.isString:
            if try isColumn(member.value, .referrer) { return columns.referrer = notEmpty(member.value) }
        case .userAgent where member.value.isString:
            if try isColumn(member.value, .userAgent) { return columns.userAgent = notEmpty(member.value) }
        case .country where member.value.isString:
            let isCode = withText(member.value) { text in
                text.count == 2 && text.allSatisfy { (0x41...0x5a).contains($0 & 0xdf) }
            }
            if isCode { return columns.country = member.value }
            if member.value.start == member.value.end { return }
        default: break
        }
        kept.append(kept.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
        if member.key.kind == .string, member.value.kind == .string, member.value.start == member.key.end + 3 {
            // As it came, in one piece: `"key":"value"`.
            kept.append(contentsOf: bytes(member.key.start - 1, member.value.end + 1))
            return
        }
        appendJSON(member.key)
        kept.append(UInt8(ascii: ":"))
        appendJSON(member.value)
    }

    private enum Column {
        case path, referrer, userAgent, country, ip
    }

    private func column(of key: BeaconFields.Slot) -> Column? {
        // Escaped, a name is longer than it looks.
        switch key.kind == .escapedString ? -1 : key.end - key.start {
        case 2: slot(key, is: "ip") ? .ip : nil
        case 4: slot(key, is: "path") ? .path : nil
        case 7: slot(key, is: "country") ? .country : nil
        case 8: slot(key, is: "referrer") ? .referrer : nil
        case 9: slot(key, is: "userAgent") ? .userAgent : nil
        case -1:
            switch withText(key, { String(decoding: $0, as: UTF8.self) }) {
            case "ip": .ip
            case "path": .path
            case "country": .country
            case "referrer": .referrer
            case "userAgent": .userAgent
            default: nil
            }
        default: nil
        }
    }

    private func notEmpty(_ slot: BeaconFields.Slot) -> BeaconFields.Slot {
        slot.start == slot.end ? BeaconFields.Slot() : slot
    }

    /// False for text with control characters, which stays in the metadata, where it is escaped.
    private func isColumn(_ slot: BeaconFields.Slot, _ field: TrackField) throws(Fault) -> Bool {
        let (count, hasControls) = withText(slot) { ($0.count, Self.hasControlCharacter($0)) }
        guard count <= Self.maxColumnBytes else { throw Fault(field, .columnLength) }
        return !hasControls
    }

    private mutating func appendJSON(_ slot: BeaconFields.Slot) {
        switch slot.kind {
        case .string:
            kept.append(UInt8(ascii: "\""))
            kept.append(contentsOf: bytes(slot.start, slot.end))
            kept.append(UInt8(ascii: "\""))
        case .escapedString: JSONText.compact(bytes(slot.start - 1, slot.end + 1), into: &kept)
        case .object, .array: JSONText.compact(bytes(slot.start, slot.end), into: &kept)
        default: kept.append(contentsOf: bytes(slot.start, slot.end))
        }
    }

    /// Marks members that a later one of the same name replaces; metadata's own come before the beacon's.
    private mutating func dropReplacedMembers() {
        let count = metadataMembers.count + unknownMembers.count
        guard count > 1, mayHaveReplacedMembers() else { return }
        // In the order in which a name, once seen, replaces what comes after.
        let metadataCount = metadataMembers.count
        func member(_ place: Int) -> BeaconFields.Member {
            place < metadataCount
                ? metadataMembers[metadataCount - 1 - place] : unknownMembers[count - 1 - place]
        }
        var replaced: [Int] = []
        if count <= 16 {
            for place in 1..<count {
                let key = member(place).key
                for earlier in 0..<place where sameText(member(earlier).key, key) {
                    replaced.append(place)
                    break
                }
            }
        } else {
            // Thousands of members fit the bound: too many to compare each with each.
            var seen = Set<[UInt8]>(minimumCapacity: count)
            for place in 0..<count where !seen.insert(withText(member(place).key) { Array($0) }).inserted {
                replaced.append(place)
            }
        }
        for place in replaced {
            if place < metadataCount {
                metadataMembers[metadataCount - 1 - place].key.kind = .absent
            } else {
                unknownMembers[count - 1 - place].key.kind = .absent
            }
        }
    }

    /// False where all names have different lengths, as they mostly have.
    private func mayHaveReplacedMembers() -> Bool {
        var lengths: UInt64 = 0
        func isNew(_ key: BeaconFields.Slot) -> Bool {
            let bit = UInt64(1) << UInt64(min(key.end &- key.start, 63))
            defer { lengths |= bit }
            return key.kind == .string && lengths & bit == 0
        }
        for member in metadataMembers where !isNew(member.key) { return true }
        for member in unknownMembers where !isNew(member.key) { return true }
        return false
    }

    private func sameText(_ left: BeaconFields.Slot, _ right: BeaconFields.Slot) -> Bool {
        if left.kind == .string, right.kind == .string, left.end - left.start != right.end - right.start {
            return false
        }
        return withText(left) { left in withText(right) { left.elementsEqual($0) } }
    }
}
