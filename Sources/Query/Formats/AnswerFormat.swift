/// The formats in which an answer is handed out.
package enum AnswerFormat: String, CaseIterable, Sendable {
    case table, json, csv, ndjson

    /// - Parameter isStyled: of a table.
    package func render(_ answer: any Answer, isStyled: Bool = false) -> String {
        switch self {
        case .table: TableText.render(answer.sheet, isStyled: isStyled)
        case .json: answer.json + "\n"
        case .csv: CSVText.render(answer.sheet)
        case .ndjson: NDJSONText.render(answer.sheet)
        }
    }
}
