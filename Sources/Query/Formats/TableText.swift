/// A sheet as a table for a terminal.
package enum TableText {
    /// - Parameter isStyled: whether headings are bold, and changes green and red.
    package static func render(_ sheet: Sheet, isStyled: Bool = false) -> String {
        var lines = sheet.columns.map(\.heading)
        let rows = sheet.rows + (sheet.footer.map { [$0] } ?? [])
        let cells = rows.map { $0.map(text) }
        var widths = lines.map(DisplayWidth.of)
        for row in cells {
            for (column, text) in row.enumerated() { widths[column] = max(widths[column], DisplayWidth.of(text)) }
        }
        func line(_ texts: [String], _ row: [Sheet.Cell] = []) -> String {
            var line = ""
            for (column, text) in texts.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - DisplayWidth.of(text))
                var shown = text
                if isStyled, column < row.count, case .change(let change) = row[column],
                    let style = TerminalStyle.ofChange(change)
                {
                    shown = style.of(text)
                }
                line += sheet.columns[column].isNumber ? padding + shown : shown + padding
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        let heading = line(lines)
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        lines = [sanitized(sheet.title), "", isStyled ? TerminalStyle.bold.of(heading) : heading, rule]
        lines += zip(cells, sheet.rows).map { line($0, $1) }
        if sheet.rows.isEmpty { lines.append("(none)") }
        if sheet.footer != nil { lines += [rule, line(cells[cells.count - 1])] }
        let notes = sheet.notes.map(sanitized)
        if !notes.isEmpty { lines += [""] + (isStyled ? notes.map(styled) : notes) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A note whose changes stand out: `(+5.0 %)`, `growth -1.5 %`.
    private static func styled(_ note: String) -> String {
        note.replacing(/(\(|growth )([+-]?)([0-9]+\.[0-9]) %/) { match in
            let change: Int64 = match.3 == "0.0" ? 0 : match.2 == "-" ? -1 : 1
            let text = "\(match.2)\(match.3) %"
            return match.1 + (TerminalStyle.ofChange(change)?.of(text) ?? text)
        }
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
    package static func sanitized(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || (0x2066...0x2069).contains(scalar.value)
    }
}
