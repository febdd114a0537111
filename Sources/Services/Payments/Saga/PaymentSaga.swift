/// Where an attempt to pay stands, and what may come next: docs/booking.md draws it. Pure: no clock, no I/O.
///
/// Money moves between `confirming` and `paid` only. Before it, an attempt may fail; after it, it is completed or given
/// back, and nothing else.
enum PaymentSaga {
    enum State: String, CaseIterable, Sendable {
        /// Stored, and told to the browser.
        case ready
        /// The buyer wants to confirm: Reservations is asked to keep the seats, and Toss then for the money; it may have
        /// taken it, and the tickets may be made. Whoever goes on with it, and did not begin it, asks Toss first.
        case confirming
        /// Toss has surely taken none: the seats are let go, and a call to keep them that is still on its way is refused.
        case releasing
        case failed
        /// Toss has taken the money, and the tickets could not be made at once.
        case paid
        case ticketed
        /// Toss has taken the money, and all of it goes back, or was given back other than for canceled tickets: what seats
        /// are kept are let go, and what tickets there are become void.
        case returning
        /// Toss has taken the money and there are no tickets for it: all of it is given back.
        case unfulfilled
    }

    enum Event: Equatable, Sendable {
        case confirmAsked
        case guardRefused(String)
        case approved
        /// And the tickets are made: one transition for what is nearly always one.
        case approvedAndSold
        /// Approved, and all of it was given back by somebody else.
        case approvedAndCanceled
        case refused(String)
        case sold
        case seatsLost
        /// All of it was given back, and not only for canceled tickets.
        case returned
        case released
        /// Nobody has asked to confirm in time.
        case abandoned
    }

    /// What belongs to a transition, in the transaction that stores it.
    enum Command: Equatable, Sendable {
        /// `approved_at`, and `payment.completed`.
        case recordApproval
        /// The code, and `payment.failed`.
        case recordFailure(String)
        case recordTickets
        case refundAll
    }

    struct Transition: Equatable, Sendable {
        var state: State
        var commands: [Command] = []
    }

    /// Nil where the event changes nothing: it comes late, or twice.
    static func next(_ state: State, _ event: Event) -> Transition? {
        switch (state, event) {
        case (.ready, .confirmAsked): Transition(state: .confirming)
        case (.ready, .abandoned): Transition(state: .failed, commands: [.recordFailure("abandoned")])
        case (.ready, .refused(let code)): Transition(state: .failed, commands: [.recordFailure(code)])

        // An earlier call may have been delayed, and take hold yet.
        case (.confirming, .guardRefused(let code)), (.confirming, .refused(let code)):
            Transition(state: .releasing, commands: [.recordFailure(code)])
        case (.releasing, .released): Transition(state: .failed)

        // Whatever was thought before: the money is with us.
        case (.ready, .approved), (.confirming, .approved), (.releasing, .approved), (.failed, .approved):
            Transition(state: .paid, commands: [.recordApproval])
        case (.confirming, .approvedAndSold):
            Transition(state: .ticketed, commands: [.recordApproval, .recordTickets])
        // Where seats may be kept for it, nobody else would ever let them go.
        case (.confirming, .approvedAndCanceled), (.releasing, .approvedAndCanceled):
            Transition(state: .returning, commands: [.recordApproval])
        case (.ready, .approvedAndCanceled), (.failed, .approvedAndCanceled):
            Transition(state: .unfulfilled, commands: [.recordApproval])
        case (.returning, .released): Transition(state: .unfulfilled)

        case (.paid, .sold): Transition(state: .ticketed, commands: [.recordTickets])
        // Some of its seats may be there, and kept for it.
        case (.paid, .seatsLost): Transition(state: .returning, commands: [.refundAll])

        // Nobody keeps a ticket and its money.
        case (.paid, .returned), (.ticketed, .returned): Transition(state: .returning)

        default: nil
        }
    }

    /// Whether the worker has something to do in it.
    static func isWorking(_ state: State) -> Bool {
        switch state {
        case .confirming, .releasing, .paid, .returning: true
        case .ready, .failed, .ticketed, .unfulfilled: false
        }
    }

    static func hasTakenMoney(_ state: State) -> Bool {
        switch state {
        case .paid, .ticketed, .returning, .unfulfilled: true
        case .ready, .confirming, .releasing, .failed: false
        }
    }
}

extension PaymentSaga.State {
    /// - Parameter text: of a row. Programs of the version before also store `guarding`, while they ask Reservations.
    init?(stored text: String) {
        self.init(rawValue: text == "guarding" ? Self.confirming.rawValue : text)
    }

    /// As which it is in rows.
    var stored: [String] { self == .confirming ? [rawValue, "guarding"] : [rawValue] }
}
