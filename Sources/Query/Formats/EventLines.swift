import Core

/// Raw beacons as text, piece by piece.
struct EventLines {
    /// A table needs all its rows at once.
    static let maxTableRows = 1_000
    /// Pieces are written at about this size.
    static let maxPendingBytes = 64 * 1024

    private let format: AnswerFormat
    private let isStyled: Bool
    private var days = DayText()
    private var bytes: [UInt8] = []
    private var tableRows: [[Sheet.Cell]] = []
    private(set) var count = 0
    /// There are more than were appended.
    var isCut = false

    /// - Parameter isStyled: of a table.
    init(_ format: AnswerFormat, isStyled: Bool = false) {
        self.format = format
        self.isStyled = isStyled
        switch format {
        case .csv: bytes += CSVText.line(Self.names).utf8
        case .json: bytes += "[".utf8
        case .ndjson, .table: break
        }
    }

    var pending: Int { bytes.count }

    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private static let texts: [(name: String, text: BeaconBatch.Text)] = [
        ("eventType", .eventType), ("artistId", .artistId), ("eventId", .eventId), ("visitorId", .visitorId),
        ("sessionId", .sessionId), ("messageId", .messageId), ("clientHash", .clientHash), ("path", .path),
        ("referrer", .referrer), ("userAgent", .userAgent), ("country", .country),
    ]
    private static let names = ["timestamp", "receivedAt"] + texts.map(\.name) + ["anonymous", "metadata"]

    mutating func append(_ batch: BeaconBatch, _ row: Int) {
        count += 1
        switch format {
        case .csv:
            var values: [String?] = [Instant.iso8601(batch.timestamp[row]), Instant.iso8601(batch.receivedAt[row])]
            values += Self.texts.map { batch[$0.text][row].map(CSVText.inert) }
            values.append(batch.flags[row].contains(.anonymous) ? "true" : "false")
            values.append(batch[.metadata][row])
            bytes += CSVText.line(values).utf8
        case .ndjson, .json:
            if format == .json && count > 1 { bytes.append(UInt8(ascii: ",")) }
            if format == .json { bytes.append(UInt8(ascii: "\n")) }
            appendJSON(batch, row)
            if format == .ndjson { bytes.append(UInt8(ascii: "\n")) }
        case .table:
            tableRows.append(
                [.text(Instant.iso8601(batch.timestamp[row]))] + Self.tableTexts.map { .text(batch[$0][row]) }
                    + [.text(batch[.visitorId][row] ?? batch[.sessionId][row] ?? batch[.clientHash][row])])
        }
    }

    /// Keys with what stands around them: `,"artistId":`
    private static let keys = texts.map { (key: Array(",\"\($0.name)\":".utf8), text: $0.text) }
    private static let null = Array("null".utf8)
    private static let timestampKey = Array("{\"timestamp\":\"".utf8)
    private static let receivedAtKey = Array("\",\"receivedAt\":\"".utf8)
    private static let anonymousKey = Array(",\"anonymous\":".utf8)
    private static let metadataKey = Array(",\"metadata\":".utf8)

    /// Text goes from the batch to the line as bytes: millions of lines are a matter of seconds.
    private mutating func appendJSON(_ batch: BeaconBatch, _ row: Int) {
        bytes += Self.timestampKey
        days.append(batch.timestamp[row], to: &bytes)
        bytes += Self.receivedAtKey
        days.append(batch.receivedAt[row], to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        for (key, text) in Self.keys {
            bytes += key
            let column = batch[text]
            let code = Int(column.codes[row])
            if code == 0 {
                bytes += Self.null
            } else {
                JSONText.append(column, value: code - 1, to: &bytes)
            }
        }
        bytes += Self.anonymousKey
        bytes += (batch.flags[row].contains(.anonymous) ? "true" : "false").utf8
        bytes += Self.metadataKey
        bytes += (batch[.metadata][row].map(Self.oneLine) ?? "null").utf8
        bytes.append(UInt8(ascii: "}"))
    }

    /// JSON as it came; a line end in it can only be white space. Byte by byte: CR LF is one character.
    private static func oneLine(_ json: String) -> String {
        String(decoding: json.utf8.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }, as: UTF8.self)
    }

    private static let tableTexts: [BeaconBatch.Text] = [.eventType, .artistId, .eventId, .path]

    mutating func finish() {
        switch format {
        case .json: bytes += (count == 0 ? "]\n" : "\n]\n").utf8
        case .table:
            let columns: [Sheet.Column] =
                [.text("timestamp", "timestamp")] + Self.tableTexts.map { .text("\($0)", "\($0)") }
                + [.text("visitor", "visitor")]
            let sheet = Sheet(
                title: "beacons, folded", columns: columns, rows: tableRows,
                notes: isCut
                    ? ["the first \(NumberText.grouped(Int64(count))); the formats csv and ndjson give all"] : [])
            bytes += TableText.render(sheet, isStyled: isStyled).utf8
        case .csv, .ndjson: break
        }
    }
}
