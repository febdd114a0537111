/// A sheet as a table for a terminal.
package enum TableText {
    package static func render(_ sheet: Sheet) -> String {
        var lines = sheet.columns.map(\.heading)
        let cells = (sheet.rows + (sheet.footer.map { [$0] } ?? [])).map { $0.map(text) }
        var widths = lines.map(DisplayWidth.of)
        for row in cells {
            for (column, text) in row.enumerated() { widths[column] = max(widths[column], DisplayWidth.of(text)) }
        }
        func line(_ texts: [String]) -> String {
            var line = ""
            for (column, text) in texts.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - DisplayWidth.of(text))
                line += sheet.columns[column].isNumber ? padding + text : text + padding
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        let heading = line(lines)
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        lines = [sanitized(sheet.title), "", heading, rule]
        lines += cells.dropLast(sheet.footer == nil ? 0 : 1).map(line)
        if sheet.rows.isEmpty { lines.append("(none)") }
        if sheet.footer != nil { lines += [rule, line(cells[cells.count - 1])] }
        if !sheet.notes.isEmpty { lines += [""] + sheet.notes.map(sanitized) }
        return lines.joined(separator: "\n") + "\n"
    }

    static func text(_ cell: Sheet.Cell) -> String {
        switch cell {
        case .text(let value): value.map(sanitized) ?? "-"
        case .count(let value): value.map(NumberText.grouped) ?? "-"
        case .money(let value, let currency): value.map { NumberText.money($0, currency) } ?? "-"
        case .seconds(let value): value.map { NumberText.duration(seconds: $0) } ?? "-"
        case .change(let value): value.map { ($0 > 0 ? "+" : "") + NumberText.tenths($0) + " %" } ?? "-"
        }
    }

    /// Texts come from the web: none may move the cursor or colour the terminal.
    static func sanitized(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || (0x2066...0x2069).contains(scalar.value)
    }
}
