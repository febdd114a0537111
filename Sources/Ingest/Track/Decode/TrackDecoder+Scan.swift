/// Finds a beacon's fields without judging them, since a later member of the same name replaces an earlier one.
extension TrackDecoder {
    /// Scans the object whose brace is at hand. An array under the key `batch` is decoded then and there.
    mutating func scanBeacon(_ receipt: Receipt, mayBeBatch: Bool) throws(JSONSyntaxError) -> BeaconFields {
        var fields = BeaconFields()
        metadataMembers.removeAll(keepingCapacity: true)
        unknownMembers.removeAll(keepingCapacity: true)
        json.at += 1
        json.skipWhitespace()
        if try json.current() == UInt8(ascii: "}") {
            json.at += 1
            return fields
        }
        while true {
            let key = try json.key()
            if fields.isBatch {
                if isBatchArray(key) { try decodeBatch(receipt) } else { try json.skipValue() }
            } else {
                switch name(of: key) {
                case .eventType: fields.eventType = try slot()
                case .artistId: fields.artistId = try slot()
                case .eventId: fields.eventId = try slot()
                case .timestamp: fields.timestamp = try slot()
                case .visitorId: fields.visitorId = try slot()
                case .sessionId: fields.sessionId = try slot()
                case .messageId: fields.messageId = try slot()
                case .metadata: fields.metadata = try scanMetadata()
                case nil:
                    if mayBeBatch, isBatchArray(key) {
                        fields.isBatch = true
                        try decodeBatch(receipt)
                    } else {
                        let value = try slot()
                        fields.unknownBytes += jsonBytes(of: key) + jsonBytes(of: value) + 2
                        if fields.unknownBytes <= Self.maxMetadataBytes {
                            unknownMembers.append(BeaconFields.Member(key: slot(of: key), value: value))
                        }
                    }
                }
            }
            json.skipWhitespace()
            switch try json.current() {
            case UInt8(ascii: ","): json.at += 1
            case UInt8(ascii: "}"):
                json.at += 1
                return fields
            default: throw json.unexpected()
            }
        }
    }

    /// A second `batch` replaces the first, and only the body's first value can have one: so nothing else is undone.
    private mutating func decodeBatch(_ receipt: Receipt) throws(JSONSyntaxError) {
        startOver()
        try decodeArray(receipt)
    }

    private func isBatchArray(_ key: JSONScanner.Text) -> Bool {
        json.at < json.end && json.base[json.at] == UInt8(ascii: "[") && self.key(key, is: "batch")
    }

    /// Notes the members of the metadata at hand; of an object over the bound only its extent.
    private mutating func scanMetadata() throws(JSONSyntaxError) -> BeaconFields.Slot {
        metadataMembers.removeAll(keepingCapacity: true)
        guard try json.current() == UInt8(ascii: "{") else { return try slot() }
        let start = json.at
        json.at += 1
        json.skipWhitespace()
        if try json.current() == UInt8(ascii: "}") {
            json.at += 1
            return BeaconFields.Slot(kind: .object, start: start, end: json.at)
        }
        while true {
            let key = try json.key()
            let value = try slot()
            if json.at - start <= Self.maxMetadataBytes {
                metadataMembers.append(BeaconFields.Member(key: slot(of: key), value: value))
            }
            json.skipWhitespace()
            switch try json.current() {
            case UInt8(ascii: ","): json.at += 1
            case UInt8(ascii: "}"):
                json.at += 1
                return BeaconFields.Slot(kind: .object, start: start, end: json.at)
            default: throw json.unexpected()
            }
        }
    }

    /// Passes the value at hand.
    @inline(__always)
    private mutating func slot() throws(JSONSyntaxError) -> BeaconFields.Slot {
        let start = json.at
        let kind: BeaconFields.Kind
        switch try json.current() {
        case UInt8(ascii: "\""): return slot(of: try json.string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): kind = try json.number() ? .integer : .number
        case UInt8(ascii: "{"):
            kind = .object
            try json.skipValue()
        case UInt8(ascii: "["):
            kind = .array
            try json.skipValue()
        case UInt8(ascii: "n"):
            kind = .null
            try json.literal("null")
        default:
            kind = .boolean
            try json.skipValue()
        }
        return BeaconFields.Slot(kind: kind, start: start, end: json.at)
    }

    @inline(__always)
    private func slot(of text: JSONScanner.Text) -> BeaconFields.Slot {
        BeaconFields.Slot(kind: text.escaped ? .escapedString : .string, start: text.start, end: text.end)
    }

    private func jsonBytes(of text: JSONScanner.Text) -> Int { text.end - text.start + 2 }

    private func jsonBytes(of slot: BeaconFields.Slot) -> Int {
        slot.end - slot.start + (slot.isString ? 2 : 0)
    }
}

// MARK: - Names

extension TrackDecoder {
    private enum Name {
        case eventType, artistId, eventId, timestamp, visitorId, sessionId, messageId, metadata
    }

    private func name(of key: JSONScanner.Text) -> Name? {
        if key.escaped { return name(of: JSONText.unescaped(bytes(key.start, key.end))) }
        let count = key.end &- key.start
        guard (7...9).contains(count) else { return nil }
        let start = UnsafeRawPointer(json.base + key.start)
        switch count {
        case 9:
            let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
            let last = json.base[key.end &- 1]
            switch word {
            case Self.word("eventTyp") where last == UInt8(ascii: "e"): return .eventType
            case Self.word("timestam") where last == UInt8(ascii: "p"): return .timestamp
            case Self.word("visitorI") where last == UInt8(ascii: "d"): return .visitorId
            case Self.word("sessionI") where last == UInt8(ascii: "d"): return .sessionId
            case Self.word("messageI") where last == UInt8(ascii: "d"): return .messageId
            default: return nil
            }
        case 8:
            switch UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) {
            case Self.word("artistId"): return .artistId
            case Self.word("metadata"): return .metadata
            default: return nil
            }
        default: return self.key(key, is: "eventId") ? .eventId : nil
        }
    }

    private func name(of key: [UInt8]) -> Name? {
        switch String(decoding: key, as: UTF8.self) {
        case "eventType": .eventType
        case "artistId": .artistId
        case "eventId": .eventId
        case "timestamp": .timestamp
        case "visitorId": .visitorId
        case "sessionId": .sessionId
        case "messageId": .messageId
        case "metadata": .metadata
        default: nil
        }
    }

    @inline(__always)
    private static func word(_ text: StaticString) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self))
    }

    private func key(_ key: JSONScanner.Text, is name: StaticString) -> Bool {
        slot(slot(of: key), is: name)
    }

    func slot(_ slot: BeaconFields.Slot, is name: StaticString) -> Bool {
        if slot.kind == .escapedString {
            return JSONText.unescaped(bytes(slot.start, slot.end))
                .elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
        guard slot.end - slot.start == name.utf8CodeUnitCount else { return false }
        for index in 0..<name.utf8CodeUnitCount where json.base[slot.start &+ index] != name.utf8Start[index] {
            return false
        }
        return true
    }

    func bytes(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: json.base + start, count: end - start)
    }
}
