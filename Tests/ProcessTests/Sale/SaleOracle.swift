/// What has to be true of the books at rest, whatever was killed: each line of `errors` says what isn't.
struct SaleOracle {
    private let books: SaleBooks
    private let told: SaleBuyers.Told
    private(set) var errors: [String] = []

    init(_ books: SaleBooks, _ told: SaleBuyers.Told) {
        self.books = books
        self.told = told
        for payment in books.payments { check(payment) }
        checkReservations()
        checkSeats()
        checkPromises()
        checkSums()
    }

    private mutating func require(_ isTrue: Bool, _ what: @autoclosure () -> String) {
        if !isTrue { errors.append(what()) }
    }

    // MARK: Payments

    private mutating func check(_ payment: SaleBooks.Payment) {
        let name = "payment \(payment.id) (\(payment.state))"
        let money = books.toss[payment.order] ?? SaleBooks.Money()
        require(money.taken == (payment.isApproved ? payment.amount : 0), "\(name): Toss has \(money)")
        let refunds = books.refunds[payment.id] ?? []
        let sum = refunds.reduce(0) { $0 + $1.amount }
        require(
            money.givenBack == sum && payment.refunded == sum && payment.committed == sum,
            "\(name): Toss has \(money), its refunds are \(sum), it says \(payment.refunded) of \(payment.committed)")
        let reservation = books.reservations[payment.reservation]
        let tickets = books.tickets[payment.reservation] ?? []
        switch payment.state {
        case "ticketed":
            require(
                reservation?.payment == payment.id && reservation?.isPaid == true, "\(name): its reservation isn't its")
            require(
                Set(tickets.map(\.id)) == Set(payment.tickets) && tickets.count == payment.count
                    && payment.tickets.count == payment.count,
                "\(name): has \(tickets.count) tickets of \(payment.count)")
            let due = (books.cancellations[payment.reservation] ?? []).filter { $0.amount > 0 }
            let keys = Set(due.map { "cancellation:\($0.id)" })
            let byHand = refunds.filter { !keys.contains($0.key) }
            require(
                byHand.allSatisfy { $0.key == "admin:\(payment.id):goodwill" }
                    && refunds.count - byHand.count == due.count
                    && sum - byHand.reduce(0) { $0 + $1.amount } == due.reduce(0) { $0 + $1.amount },
                "\(name): its cancellations are \(due), its refunds \(refunds)")
        case "unfulfilled":
            require(
                refunds.count == 1 && sum == payment.amount,
                "\(name): has no seats, and not one refund of all: \(refunds)")
            require(reservation?.payment != payment.id, "\(name): its reservation is its")
        case "ready", "failed":
            require(!payment.isApproved && refunds.isEmpty, "\(name): has taken money")
        default: errors.append("\(name): is under way")
        }
    }

    // MARK: Seats

    private mutating func checkReservations() {
        let paid = Dictionary(grouping: books.payments.filter { $0.state == "ticketed" }, by: \.reservation)
        for (id, reservation) in books.reservations {
            let name = "reservation \(id) (\(reservation.state))"
            let tickets = books.tickets[id] ?? []
            let valid = Set(tickets.filter { !$0.isVoid }.map(\.seat))
            let claims = books.claims[id] ?? []
            require(
                Set(claims.map(\.seat)) == valid && claims.count == valid.count
                    && claims.allSatisfy { $0.state == "sold" }, "\(name): has \(claims), its tickets are for \(valid)")
            require(
                (paid[id]?.count ?? 0) == (reservation.isPaid ? 1 : 0), "\(name): is paid \(paid[id]?.count ?? 0) times"
            )
            switch reservation.state {
            case "paid": require(reservation.isPaid && !valid.isEmpty, "\(name): has no ticket")
            case "canceled": require(valid.isEmpty, "\(name): has tickets")
            case "expired": require(!reservation.isPaid && tickets.isEmpty, "\(name): has tickets")
            default: errors.append("\(name): is under way")
            }
        }
    }

    private mutating func checkSeats() {
        var seats: [String: String] = [:]
        for (reservation, tickets) in books.tickets {
            for ticket in tickets where !ticket.isVoid {
                if let other = seats.updateValue(reservation, forKey: ticket.seat) {
                    errors.append("seat \(ticket.seat): is of \(reservation) and of \(other)")
                }
            }
        }
    }

    // MARK: Promises

    private mutating func checkPromises() {
        let payments = Dictionary(uniqueKeysWithValues: books.payments.map { ($0.id, $0) })
        for (id, tickets) in told.ticketed {
            require(
                payments[id]?.state == "ticketed" && payments[id]?.count == tickets,
                "payment \(id): its buyer was told of \(tickets) tickets")
        }
        for id in told.held {
            require(books.reservations[id] != nil, "reservation \(id): its buyer was told of it, and it isn't there")
        }
        let cancellations = Set(books.cancellations.values.joined().map(\.id))
        for id in told.cancellations {
            require(cancellations.contains(id), "cancellation \(id): its buyer was told of it, and it isn't there")
        }
        for id in told.late {
            require(payments[id]?.isApproved == false, "payment \(id): came after its hold was over, and took money")
        }
    }

    // MARK: Sums

    var money: SaleBooks.Money {
        books.toss.values.reduce(into: SaleBooks.Money()) {
            $0.taken += $1.taken
            $0.givenBack += $1.givenBack
        }
    }

    private mutating func checkSums() {
        let orders = Set(books.payments.map(\.order))
        for order in books.toss.keys where !orders.contains(order) { errors.append("order \(order): only Toss has it") }
        var own = SaleBooks.Money()
        for payment in books.payments {
            if payment.isApproved { own.taken += payment.amount }
            own.givenBack += payment.refunded
        }
        let money = money
        require(own == money, "payments has \(own), Toss \(money)")
        for (table, sum) in books.revenue { require(sum == money, "\(table) has \(sum), Toss \(money)") }
    }
}
