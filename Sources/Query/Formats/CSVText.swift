/// CSV (RFC 4180): CRLF line ends, a header line, quotes where they are needed. Money is in minor units.
///
/// Text that a spreadsheet would take for a formula begins with an apostrophe more: ids and paths come from anyone. The
/// other formats give it as it is.
package enum CSVText {
    package static func render(_ sheet: Sheet) -> String {
        header(sheet) + rows(sheet)
    }

    static func header(_ sheet: Sheet) -> String { line(sheet.columns.map(\.name)) }

    static func rows(_ sheet: Sheet) -> String { sheet.rows.map { line($0.map(value)) }.joined() }

    package static func line(_ values: [String?]) -> String {
        values.map { field($0 ?? "") }.joined(separator: ",") + "\r\n"
    }

    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else { return text }
        // Byte by byte: a quote and an accent after it are one character.
        var quoted: [UInt8] = [0x22]
        for byte in text.utf8 {
            if byte == 0x22 { quoted.append(0x22) }
            quoted.append(byte)
        }
        quoted.append(0x22)
        return String(decoding: quoted, as: UTF8.self)
    }

    static func inert(_ text: String) -> String {
        switch text.utf8.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0a, 0x0d:
            return "'" + text
        // The same signs in full width: spreadsheets of East Asian languages take one for the other.
        case 0xef where ["＝", "＋", "－", "＠"].contains { text.utf8.starts(with: $0.utf8) }:
            return "'" + text
        default: return text
        }
    }

    private static func value(_ cell: Sheet.Cell) -> String? {
        switch cell {
        case .text(let value): value.map(inert)
        case .count(let value), .money(let value, currency: _), .seconds(let value): value.map(String.init)
        case .change(let value): value.map(NumberText.tenths)
        }
    }
}
