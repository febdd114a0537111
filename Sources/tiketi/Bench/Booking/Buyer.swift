/// One buyer's way from a free seat to a ticket: what he asks for next, by what he was answered. No I/O.
struct Buyer: Sendable {
    enum Request: Equatable, Sendable {
        case hold(seat: Int)
        /// Which seats are free.
        case seatMap
        case order
        /// What he does on Toss's page.
        case authentication
        case confirmation
        /// Whether a payment that was answered 202 has got on.
        case payment
    }

    enum End: Equatable, Sendable {
        case ticket
        /// No seat was free any more.
        case soldOut
        /// Others were faster each time.
        case gaveUp
        case failed(String)
    }

    enum Step: Equatable, Sendable {
        case ask(Request)
        /// As long as `Retry-After` says.
        case askLater(Request)
        case end(End)
    }

    /// Seats that he tries to get.
    static let maxTries = 5
    static let maxQuestions = 60

    let number: Int
    let token: String
    let maxTries: Int
    private(set) var request: Request
    private(set) var reservationId = ""
    private(set) var paymentId = ""
    private(set) var orderId = ""
    private(set) var paymentKey = ""
    private(set) var amount: Int64 = 0
    private var tries = 1
    private var questions = 0

    /// - Parameter seat: that he would like best, by its place in the layout.
    init(number: Int, token: String, seat: Int, maxTries: Int = Buyer.maxTries) {
        self.number = number
        self.token = token
        self.maxTries = maxTries
        request = .hold(seat: seat)
    }

    /// - Parameters:
    ///   - status: of the answer to `request`.
    ///   - body: the whole of it.
    mutating func answered(
        _ status: Int, _ body: UnsafeRawBufferPointer, using random: inout some RandomNumberGenerator
    ) -> Step {
        let step = next(status, body, using: &random)
        switch step {
        case .ask(let next), .askLater(let next): request = next
        case .end: break
        }
        return step
    }

    private mutating func next(
        _ status: Int, _ body: UnsafeRawBufferPointer, using random: inout some RandomNumberGenerator
    ) -> Step {
        switch (request, status) {
        case (.hold, 201):
            guard let id = JSONMember.text("id", in: body) else { return Self.unreadable(request) }
            reservationId = id
            return .ask(.order)
        case (.hold, 409) where JSONMember.text("code", in: body) == "seat_taken":
            return tries < maxTries ? .ask(.seatMap) : .end(.gaveUp)
        case (.seatMap, 200):
            guard let statuses = JSONMember.text("statuses", in: body) else { return Self.unreadable(request) }
            let free = statuses.utf8.enumerated().filter { $0.element == UInt8(ascii: "f") }
            guard let seat = free.randomElement(using: &random) else { return .end(.soldOut) }
            tries += 1
            return .ask(.hold(seat: seat.offset))
        case (.order, 200):
            guard let payment = JSONMember.text("paymentId", in: body),
                let order = JSONMember.text("orderId", in: body),
                let amount = JSONMember.integer("amount", in: body)
            else { return Self.unreadable(request) }
            (paymentId, orderId, self.amount) = (payment, order, amount)
            return .ask(.authentication)
        case (.authentication, 200):
            guard let key = JSONMember.text("paymentKey", in: body) else { return Self.unreadable(request) }
            paymentKey = key
            return .ask(.confirmation)
        case (.confirmation, 200), (.payment, 200), (.confirmation, 202):
            switch JSONMember.text("state", in: body) {
            case "ticketed": return .end(.ticket)
            case "confirming", "paid":
                questions += 1
                return questions <= Self.maxQuestions ? .askLater(.payment) : .end(.failed("it is paid for too long"))
            default: return Self.unreadable(request)
            }
        default:
            return .end(.failed("\(request): \(status) \(String(decoding: body.prefix(300), as: UTF8.self))"))
        }
    }

    private static func unreadable(_ request: Request) -> Step {
        .end(.failed("\(request): an answer of another form"))
    }
}
