/// A domain event on the bus: what happened, once.
///
/// On a Redis stream an entry has the fields `id` (1–128 bytes, unique for ever), `type`, `occurredAt` (ISO 8601 with
/// offset) and `data` (a JSON object, one of the bodies below). docs/formats.md lists them.
package struct Message: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case paymentCompleted(PaymentCompleted)
        case paymentRefunded(PaymentRefunded)
        case paymentFailed(PaymentFailed)
        case reservationHeld(ReservationChanged)
        case reservationConfirmed(ReservationChanged)
        case reservationExpired(ReservationChanged)
        case reservationCanceled(ReservationChanged)
        case refundDue(RefundDue)
        case artistUpserted(ArtistUpserted)
        case eventUpserted(EventUpserted)
        case eventAvailability(EventAvailability)
        case userRegistered(UserRegistered)
        case userLoggedIn(UserLoggedIn)
    }

    package var id: String
    /// Milliseconds since 1970. Money counts in the bucket of this instant: approval, or completion of the refund.
    package var occurredAt: Int64
    package var body: Body

    package init(id: String, occurredAt: Int64, body: Body) {
        self.id = id
        self.occurredAt = occurredAt
        self.body = body
    }
}

/// `payment.completed`: money taken. `amount` is in minor units of `currency`; KRW has none below 1.
///
/// Here and in the others `visitorId` is what the browser's tracker calls itself. Only its hash is stored.
package struct PaymentCompleted: Codable, Sendable, Equatable {
    package var paymentId: String
    package var eventId: String
    package var artistId: String
    package var amount: Int64
    package var currency: String
    package var tickets: Int64
    package var visitorId: String?

    package init(
        paymentId: String, eventId: String, artistId: String, amount: Int64, currency: String, tickets: Int64,
        visitorId: String? = nil
    ) {
        self.paymentId = paymentId
        self.eventId = eventId
        self.artistId = artistId
        self.amount = amount
        self.currency = currency
        self.tickets = tickets
        self.visitorId = visitorId
    }
}

/// `payment.refunded`: money given back. Amount and tickets are positive, and count as negative.
package struct PaymentRefunded: Codable, Sendable, Equatable {
    package var refundId: String
    package var paymentId: String
    package var eventId: String
    package var artistId: String
    package var amount: Int64
    package var currency: String
    package var tickets: Int64
    package var visitorId: String?

    package init(
        refundId: String, paymentId: String, eventId: String, artistId: String, amount: Int64, currency: String,
        tickets: Int64, visitorId: String? = nil
    ) {
        self.refundId = refundId
        self.paymentId = paymentId
        self.eventId = eventId
        self.artistId = artistId
        self.amount = amount
        self.currency = currency
        self.tickets = tickets
        self.visitorId = visitorId
    }
}

/// `payment.failed`: an attempt to pay that took no money.
package struct PaymentFailed: Codable, Sendable, Equatable {
    package var paymentId: String
    package var reservationId: String
    /// As in Toss's error object, or one of ours.
    package var code: String

    package init(paymentId: String, reservationId: String, code: String) {
        self.paymentId = paymentId
        self.reservationId = reservationId
        self.code = code
    }
}

/// `refund.due`: of a paid reservation, or of some of its seats, that was canceled. The amount is final: what the policy
/// gave at that instant. Amount and tickets are positive.
package struct RefundDue: Codable, Sendable, Equatable {
    /// Unique for ever: one refund each.
    package var cancellationId: String
    package var reservationId: String
    package var paymentId: String
    package var amount: Int64
    package var currency: String
    package var tickets: Int64
    package var reason: String

    package init(
        cancellationId: String, reservationId: String, paymentId: String, amount: Int64, currency: String,
        tickets: Int64, reason: String
    ) {
        self.cancellationId = cancellationId
        self.reservationId = reservationId
        self.paymentId = paymentId
        self.amount = amount
        self.currency = currency
        self.tickets = tickets
        self.reason = reason
    }
}

/// `reservation.held`, `reservation.confirmed`, `reservation.expired` and `reservation.canceled`.
package struct ReservationChanged: Codable, Sendable, Equatable {
    package var reservationId: String
    package var eventId: String
    package var artistId: String
    package var visitorId: String?

    package init(reservationId: String, eventId: String, artistId: String, visitorId: String? = nil) {
        self.reservationId = reservationId
        self.eventId = eventId
        self.artistId = artistId
        self.visitorId = visitorId
    }
}

/// `artist.upserted`
package struct ArtistUpserted: Codable, Sendable, Equatable {
    package var artistId: String
    package var name: String

    package init(artistId: String, name: String) {
        self.artistId = artistId
        self.name = name
    }
}

/// `event.upserted`; `startsAt` is ISO 8601 with offset.
package struct EventUpserted: Codable, Sendable, Equatable {
    package var eventId: String
    package var title: String
    package var artistId: String?
    package var startsAt: String?

    package init(eventId: String, title: String, artistId: String?, startsAt: String?) {
        self.eventId = eventId
        self.title = title
        self.artistId = artistId
        self.startsAt = startsAt
    }
}

/// `event.availability`: whether a seat of the event is left. Of two, the one that occurred later holds.
package struct EventAvailability: Codable, Sendable, Equatable {
    package var eventId: String
    package var soldOut: Bool

    package init(eventId: String, soldOut: Bool) {
        self.eventId = eventId
        self.soldOut = soldOut
    }
}

/// `user.registered`
package struct UserRegistered: Codable, Sendable, Equatable {
    package var userId: String

    package init(userId: String) {
        self.userId = userId
    }
}

/// `user.logged_in`
package struct UserLoggedIn: Codable, Sendable, Equatable {
    package var userId: String

    package init(userId: String) {
        self.userId = userId
    }
}
