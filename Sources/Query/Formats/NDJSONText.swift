import Platform

/// One JSON object a row.
package enum NDJSONText {
    package static func render(_ sheet: Sheet) -> String {
        var text = ""
        for row in sheet.rows {
            var json = JSONWriter()
            json.object { json in
                for (column, cell) in zip(sheet.columns, row) {
                    switch cell {
                    case .text(let value): json.member(column.name, value)
                    case .count(let value), .money(let value, currency: _), .seconds(let value):
                        json.member(column.name, value)
                    case .change(let value): json.member(column.name, tenths: value)
                    }
                }
            }
            text += json.text + "\n"
        }
        return text
    }
}
