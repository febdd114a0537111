/// What may happen to a reservation next: decided here from its row alone, carried out under that row's lock.
extension Reservation {
    enum Confirming: Equatable {
        /// It becomes confirming, or stays so for the same attempt: its seats are kept from now on.
        case keep
        case notHeld
        case amountDiffers
    }

    /// Before Toss is asked for money: nothing else lets it be asked.
    func confirming(paymentId: String, amount: Int64, now: Int64) -> Confirming {
        let isOurs =
            switch state {
            case .held: now < expiresAt && !isEventCanceled
            case .confirming: self.paymentId == paymentId
            case .paid, .expired, .canceled: false
            }
        guard isOurs else { return .notHeld }
        return amount == self.amount ? .keep : .amountDiffers
    }

    enum Release: Equatable {
        /// It is not confirming for this attempt, or no more.
        case nothing
        case holdAgain
        case expire
    }

    /// The attempt has failed for certain.
    func release(paymentId: String, now: Int64) -> Release {
        guard state == .confirming, self.paymentId == paymentId else { return .nothing }
        return now < expiresAt ? .holdAgain : .expire
    }

    enum Sale: Equatable {
        /// This attempt has paid it already, whatever has come after.
        case isSold
        case sell
        /// Its seats were given up: sold if all of them are free.
        case claimAgain
        /// The money can buy nothing here: it goes back.
        case lost
    }

    /// The attempt has taken the money.
    func sale(paymentId: String) -> Sale {
        switch state {
        case .paid, .canceled: self.paymentId == paymentId && paidAt != nil ? .isSold : .lost
        case .confirming: self.paymentId == paymentId ? .sell : .lost
        case .held: .sell
        case .expired: isEventCanceled ? .lost : .claimAgain
        }
    }
}
