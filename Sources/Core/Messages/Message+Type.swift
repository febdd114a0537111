extension Message {
    /// The `type` field.
    package enum Kind: String, CaseIterable, Sendable {
        case paymentCompleted = "payment.completed"
        case paymentRefunded = "payment.refunded"
        case paymentFailed = "payment.failed"
        case reservationHeld = "reservation.held"
        case reservationConfirmed = "reservation.confirmed"
        case reservationExpired = "reservation.expired"
        case reservationCanceled = "reservation.canceled"
        case refundDue = "refund.due"
        case artistUpserted = "artist.upserted"
        case eventUpserted = "event.upserted"
        case eventAvailability = "event.availability"
        case userRegistered = "user.registered"
        case userLoggedIn = "user.logged_in"
    }

    package var kind: Kind {
        switch body {
        case .paymentCompleted: .paymentCompleted
        case .paymentRefunded: .paymentRefunded
        case .paymentFailed: .paymentFailed
        case .reservationHeld: .reservationHeld
        case .reservationConfirmed: .reservationConfirmed
        case .reservationExpired: .reservationExpired
        case .reservationCanceled: .reservationCanceled
        case .refundDue: .refundDue
        case .artistUpserted: .artistUpserted
        case .eventUpserted: .eventUpserted
        case .eventAvailability: .eventAvailability
        case .userRegistered: .userRegistered
        case .userLoggedIn: .userLoggedIn
        }
    }

    /// The stream that all services publish to, and the one for what can't be read.
    package static let stream = "tiketi:messages"
    package static let deadLetterStream = "tiketi:messages:dead"
}
