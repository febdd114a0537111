import Crypto
import Foundation
import Platform

/// What strangers do, as far as it is counted by where they come from.
enum ThrottledUse: String, Sendable, CaseIterable {
    /// Log-ins to whichever accounts.
    case logIn
    /// Registrations and requests for mails.
    case asking
    /// Sign-ins with Google that were begun.
    case google

    /// Of one address; behind it may be an office.
    var policy: ThrottlePolicy {
        switch self {
        case .logIn: ThrottlePolicy(free: 20, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .asking: ThrottlePolicy(free: 60, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .google: ThrottlePolicy(free: 60, firstDelayMs: 1000, maxDelayMs: 10_000, forgetMs: 600_000)
        }
    }

    /// Of one network, until it is crowded. Forgotten one by one, faster than one address that never stops adds to it: no
    /// single neighbour makes a crowd.
    var maxAttemptsOfNetwork: Int { policy.free * 10 }
}

/// By what attempts are counted. Stored as a hash.
enum ThrottleKey: Sendable, Equatable {
    /// Log-ins to an account from browsers that have never signed in to it and from one network, by address of e-mail,
    /// whether or not there is such an account. Who guesses elsewhere makes nobody wait here.
    case account(String, ClientAddress)
    /// The same from everywhere together. Makes nobody wait, but tells when an account is under siege.
    case siege(String)
    /// What comes from the client's address.
    case address(ThrottledUse, ClientAddress)
    /// What comes from his provider's customer, who may have many addresses. Makes nobody wait but in a crowded network.
    case customer(ThrottledUse, ClientAddress)
    /// What comes from his network. Makes nobody wait, but tells when it is crowded.
    case network(ThrottledUse, ClientAddress)
    /// Log-ins from a browser that has signed in to the account before: only its own failures delay it.
    case device(userId: String, Secret)
    /// Right passwords of an account: makes nobody wait, but tells when they are no longer taken back.
    case success(userId: String)
    /// The present password, given to set another.
    case password(userId: String)
    /// Mails to an address.
    case mail(String)

    /// Log-ins to one account from browsers that are new to it, without a quiet hour between, of which more are a siege.
    static let maxAttemptsInPeace = 100

    /// What counts a stranger by where he is.
    static func places(_ use: ThrottledUse, _ client: ClientAddress) -> [ThrottleKey] {
        [.address(use, client), .customer(use, client), .network(use, client)]
    }

    /// - Parameters:
    ///   - isBesieged: whether the account is: then each network gets few attempts, but still its own.
    ///   - isCrowded: whether the network is: then each customer gets few attempts, but still his own.
    func policy(isBesieged: Bool = false, isCrowded: Bool = false) -> ThrottlePolicy {
        switch self {
        case .account where isBesieged:
            ThrottlePolicy(free: 2, firstDelayMs: 60_000, maxDelayMs: 900_000, forgetMs: 3_600_000)
        case .siege: .endless(forgetMs: 3_600_000)
        case .account, .device, .password:
            ThrottlePolicy(free: 5, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .success: ThrottlePolicy(free: 30, firstDelayMs: 1000, maxDelayMs: 60_000, forgetMs: 3_600_000)
        case .address(let use, _): use.policy
        case .customer(let use, _) where isCrowded:
            ThrottlePolicy(
                free: use.policy.free / 10, firstDelayMs: use.policy.firstDelayMs, maxDelayMs: use.policy.maxDelayMs,
                forgetMs: use.policy.forgetMs)
        case .customer(let use, _): .endless(forgetMs: use.policy.forgetMs)
        case .network(let use, _):
            .endless(
                forgetMs: use.policy.forgetMs, recoverMs: use.policy.forgetMs / Int64(use.maxAttemptsOfNetwork))
        // A code is good for ten minutes: who waits for one has a good one, whoever asked for it.
        case .mail: ThrottlePolicy(free: 3, firstDelayMs: 60_000, maxDelayMs: 300_000, forgetMs: 3_600_000)
        }
    }

    var hash: [UInt8] {
        var hasher = SHA256()
        let (kind, bytes): (String, [UInt8]) =
            switch self {
            case .account(let email, let address): ("account", Array(email.utf8) + [0] + address.network)
            case .siege(let email): ("siege", Array(email.utf8))
            case .address(let use, let address): ("address-\(use)", Array(address.rateKey))
            case .customer(let use, let address): ("customer-\(use)", Array(address.customer))
            case .network(let use, let address): ("network-\(use)", Array(address.network))
            case .device(let userId, let device): ("device", Array(userId.utf8) + device.hash)
            case .success(let userId): ("success", Array(userId.utf8))
            case .password(let userId): ("password", Array(userId.utf8))
            case .mail(let email): ("mail", Array(email.utf8))
            }
        hasher.update(data: Array(kind.utf8) + [0] + bytes)
        return Array(hasher.finalize())
    }
}
