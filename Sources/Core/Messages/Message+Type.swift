extension Message {
    /// The `type` field.
    package enum Kind: String, CaseIterable, Sendable {
        case paymentCompleted = "payment.completed"
        case paymentRefunded = "payment.refunded"
        case reservationConfirmed = "reservation.confirmed"
        case reservationCanceled = "reservation.canceled"
        case artistUpserted = "artist.upserted"
        case eventUpserted = "event.upserted"
        case userRegistered = "user.registered"
    }

    package var kind: Kind {
        switch body {
        case .paymentCompleted: .paymentCompleted
        case .paymentRefunded: .paymentRefunded
        case .reservationConfirmed: .reservationConfirmed
        case .reservationCanceled: .reservationCanceled
        case .artistUpserted: .artistUpserted
        case .eventUpserted: .eventUpserted
        case .userRegistered: .userRegistered
        }
    }

    /// The stream that all services publish to, and the one for what can't be read.
    package static let stream = "tiketi:messages"
    package static let deadLetterStream = "tiketi:messages:dead"
}
