/// How a terminal shows a text (ECMA-48). Put around a text whose width is known already: it takes no columns.
enum TerminalStyle: String {
    case bold = "1"
    case red = "31"
    case green = "32"

    func of(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// What has grown is green, what has shrunk is red.
    static func ofChange(_ change: Int64?) -> TerminalStyle? {
        guard let change, change != 0 else { return nil }
        return change > 0 ? .green : .red
    }
}
