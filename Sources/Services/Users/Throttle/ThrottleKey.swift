import Crypto
import Foundation
import Platform

/// By what attempts are counted. Stored as a hash.
enum ThrottleKey: Sendable, Equatable {
    /// Log-ins to an account from browsers that have never signed in to it and from one part of the net, by address of
    /// e-mail, whether or not there is such an account. Who guesses elsewhere makes nobody wait here.
    case account(String, ClientAddress)
    /// The same from everywhere together. Makes nobody wait, but tells when an account is under siege.
    case siege(String)
    /// Log-ins to whichever accounts, by the client's address.
    case client(ClientAddress)
    /// Log-ins from a browser that has signed in to the account before: only its own failures delay it.
    case device(userId: String, Secret)
    /// The present password, given to set another.
    case password(userId: String)
    /// Registrations and requests for mails, by the client's address.
    case asking(ClientAddress)
    /// Mails to an address.
    case mail(String)
    /// Sign-ins with Google that were begun, by the client's address.
    case google(ClientAddress)

    /// Log-ins to one account from browsers that are new to it, without a quiet hour between, of which more are a siege.
    static let maxAttemptsInPeace = 100

    /// - Parameter isBesieged: whether the account is: then each part of the net gets few attempts, but still its own.
    func policy(isBesieged: Bool = false) -> ThrottlePolicy {
        switch self {
        case .account where isBesieged:
            ThrottlePolicy(free: 2, firstDelayMs: 60_000, maxDelayMs: 900_000, forgetMs: 3_600_000)
        case .siege: ThrottlePolicy(free: .max, firstDelayMs: 0, maxDelayMs: 0, forgetMs: 3_600_000)
        case .account, .device, .password:
            ThrottlePolicy(free: 5, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        // Behind one address may be an office.
        case .client: ThrottlePolicy(free: 20, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .asking: ThrottlePolicy(free: 60, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .google: ThrottlePolicy(free: 60, firstDelayMs: 1000, maxDelayMs: 10_000, forgetMs: 600_000)
        // A code is good for ten minutes: who waits for one has a good one, whoever asked for it.
        case .mail: ThrottlePolicy(free: 3, firstDelayMs: 60_000, maxDelayMs: 300_000, forgetMs: 3_600_000)
        }
    }

    var hash: [UInt8] {
        var hasher = SHA256()
        let (kind, bytes): (String, [UInt8]) =
            switch self {
            case .account(let email, let address): ("account", Array(email.utf8) + [0] + address.neighbourhood)
            case .siege(let email): ("siege", Array(email.utf8))
            case .client(let address): ("client", Array(address.rateKey))
            case .device(let userId, let device): ("device", Array(userId.utf8) + device.hash)
            case .password(let userId): ("password", Array(userId.utf8))
            case .asking(let address): ("asking", Array(address.rateKey))
            case .mail(let email): ("mail", Array(email.utf8))
            case .google(let address): ("google", Array(address.rateKey))
            }
        hasher.update(data: Array(kind.utf8) + [0] + bytes)
        return Array(hasher.finalize())
    }
}

extension ClientAddress {
    /// What one customer of a provider, or a guesser of little means, has all of: the /24 of an IPv4 address, the /48 of
    /// an IPv6 one.
    var neighbourhood: ArraySlice<UInt8> { isIPv4 ? bytes.prefix(15) : bytes.prefix(6) }
}
