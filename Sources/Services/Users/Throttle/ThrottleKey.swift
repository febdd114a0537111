import Crypto
import Foundation
import Platform

/// By what attempts are counted. Stored as a hash.
enum ThrottleKey: Sendable, Equatable {
    /// Log-ins to an account from browsers that have never signed in to it, by address of e-mail, whether or not there is
    /// such an account.
    case account(String)
    /// The same, by the client's address.
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

    var policy: ThrottlePolicy {
        switch self {
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
            case .account(let email): ("account", Array(email.utf8))
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
