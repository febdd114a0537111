/// The first number of a sheet's rows, drawn with characters: totals and exact values are the table's.
package enum ChartText {
    package enum Kind: String, CaseIterable, Sendable {
        case line, bar, sparkline
    }

    /// The room that a chart has at most, and at least.
    package static let columns = 40...200
    static let lineRows = 10

    /// - Parameter width: columns of the terminal.
    package static func render(_ sheet: Sheet, _ kind: Kind, width: Int = 80) -> String {
        guard let column = numberColumn(sheet) else { return TableText.render(sheet) }
        let points = sheet.rows.map { Point(label: label($0, sheet), cell: $0[column]) }
        let width = min(max(width, columns.lowerBound), columns.upperBound)
        var lines = ["\(sheet.title): \(sheet.columns[column].heading)", ""]
        if points.isEmpty {
            lines.append("(none)")
        } else {
            switch kind {
            case .bar: lines += bars(points, width)
            case .line: lines += curve(points, width)
            case .sparkline: lines.append(sparkline(points, width))
            }
        }
        if !sheet.notes.isEmpty { lines += [""] + sheet.notes }
        return lines.map(TableText.sanitized).joined(separator: "\n") + "\n"
    }

    private struct Point {
        let label: String
        let value: Int64
        let text: String

        init(label: String, cell: Sheet.Cell) {
            self.label = label
            value =
                switch cell {
                case .count(let value), .money(let value, currency: _), .seconds(let value), .change(let value):
                    value ?? 0
                case .text: 0
                }
            text = TableText.text(cell)
        }
    }

    /// A rank is none.
    private static func numberColumn(_ sheet: Sheet) -> Int? {
        sheet.columns.indices.first { sheet.columns[$0].isNumber && sheet.columns[$0].name != "rank" }
    }

    /// A name where there is one, else the first text: dates, ids.
    private static func label(_ row: [Sheet.Cell], _ sheet: Sheet) -> String {
        var first: String?
        for (column, cell) in zip(sheet.columns, row) {
            guard case .text(let text) = cell else { continue }
            if column.name == "name", let text { return text }
            first = first ?? (text ?? "-")
        }
        return first ?? ""
    }

    // MARK: Bars

    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    private static func bars(_ points: [Point], _ width: Int) -> [String] {
        let labelWidth = min(points.map { DisplayWidth.of($0.label) }.max()!, width / 3)
        let textWidth = points.map { $0.text.count }.max()!
        let room = max(width - labelWidth - textWidth - 4, 8)
        let most = max(points.map(\.value).max()!, 1)
        return points.map { point in
            let filled = Int(Int128(max(point.value, 0)) * Int128(room * 8) / Int128(most))
            // What is there at all is seen.
            let drawn = point.value > 0 ? max(filled, 1) : 0
            let bar = String(repeating: "█", count: drawn / 8) + eighths[drawn % 8]
            let label = shortened(point.label, to: labelWidth)
            return label + String(repeating: " ", count: labelWidth - DisplayWidth.of(label) + 2)
                + String(repeating: " ", count: textWidth - point.text.count) + point.text
                + (bar.isEmpty ? "" : "  " + bar)
        }
    }

    private static func shortened(_ text: String, to width: Int) -> String {
        guard DisplayWidth.of(text) > width else { return text }
        var short = text
        while DisplayWidth.of(short) > width - 1 { short.removeLast() }
        return short + "…"
    }

    // MARK: Lines

    private static let steps = Array("▁▂▃▄▅▆▇█")

    private static func sparkline(_ points: [Point], _ width: Int) -> String {
        let values = spread(points.map(\.value), over: width / 2)
        let (least, most) = (min(values.min()!, 0), max(values.max()!, 1))
        let line = values.map { steps[Int((Int128($0) - Int128(least)) * 7 / (Int128(most) - Int128(least)))] }
        return
            "\(points[0].label) \(String(line)) \(points[points.count - 1].label)  most \(extreme(points, most: true)), "
            + "least \(extreme(points, most: false))"
    }

    private static func extreme(_ points: [Point], most: Bool) -> String {
        let point = most ? points.max { $0.value < $1.value }! : points.min { $0.value < $1.value }!
        return "\(point.text) (\(point.label))"
    }

    private static func curve(_ points: [Point], _ width: Int) -> [String] {
        let highest = points.max { $0.value < $1.value }!
        let lowest = points.min { $0.value < $1.value }!
        let (least, most) = (min(lowest.value, 0), max(highest.value, 1))
        let top = highest.value > 0 ? highest.text : "1"
        let bottom = lowest.value < 0 ? lowest.text : "0"
        let axis = max(top.count, bottom.count)
        let values = spread(points.map(\.value), over: width - axis - 2)
        // Each row has eight steps.
        let heights = values.map {
            Int((Int128($0) - Int128(least)) * Int128(lineRows * 8 - 1) / (Int128(most) - Int128(least)))
        }
        var lines = (0..<lineRows).reversed().map { row in
            let name = row == lineRows - 1 ? top : row == 0 ? bottom : ""
            let marks = heights.map { height -> Character in
                height / 8 == row ? steps[height % 8] : height / 8 > row ? "█" : " "
            }
            return String(repeating: " ", count: axis - name.count) + name + " │" + String(marks)
        }
        let (first, last) = (points[0].label, points[points.count - 1].label)
        lines.append(String(repeating: " ", count: axis) + " └" + String(repeating: "─", count: values.count))
        let gap = values.count - DisplayWidth.of(first) - DisplayWidth.of(last)
        lines.append(
            String(repeating: " ", count: axis + 2)
                + (gap > 0 && points.count > 1 ? first + String(repeating: " ", count: gap) + last : first))
        return lines
    }

    /// Wider where there is room, in whole columns a value; the mean of neighbours where there is too little.
    private static func spread(_ values: [Int64], over width: Int) -> [Int64] {
        if values.count <= width {
            return values.flatMap { Array(repeating: $0, count: max(width / values.count / 2, 1)) }
        }
        return (0..<width).map { column in
            let part = values[(column * values.count / width)..<((column + 1) * values.count / width)]
            return Rounded.quotient(part.reduce(0) { $0.addingReportingOverflow($1).partialValue }, Int64(part.count))
        }
    }
}
