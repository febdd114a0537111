/// Where our books and Toss's differ.
struct Difference: Equatable, Sendable, Hashable, CustomStringConvertible {
    enum Kind: String, CaseIterable, Sendable {
        case missingHere = "missing_here"
        case missingAtToss = "missing_at_toss"
        case amountDiffers = "amount_differs"
        /// Both know of it, and one of them says that the money moved.
        case stateDiffers = "state_differs"
    }

    var kind: Kind
    /// `payment:ID` and `refund:ID` of ours, `transaction:KEY` of Toss's.
    var reference: String
    var orderId: String?
    var amountHere: Int64?
    var amountAtToss: Int64?

    /// A line of what an operator reads.
    var description: String {
        "\(kind.rawValue) \(reference) order \(orderId ?? "-") here \(amountHere.map(String.init) ?? "-")"
            + " at Toss \(amountAtToss.map(String.init) ?? "-")"
    }
}
