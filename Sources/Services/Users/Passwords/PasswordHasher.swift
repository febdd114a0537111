import NIOPosix
import Platform
import Storage
import Synchronization

/// Hashes passwords on threads of its own: each hash keeps one busy for some 30 ms and takes 19 MiB.
final class PasswordHasher: Sendable {
    /// Work beyond it is refused with 503.
    static let defaultMaxWaiting = 64

    private let pool: NIOThreadPool
    private let maxOutstanding: Int
    private let outstanding = Mutex(0)
    private let parameters: Argon2id.Parameters
    let computed: Counter
    /// Of no password: checked where there is no account, so that this takes as long.
    let decoy: String

    init(
        threads: Int, maxWaiting: Int = PasswordHasher.defaultMaxWaiting,
        parameters: Argon2id.Parameters = .recommended, metrics: Metrics
    ) async throws {
        computed = metrics.counter(
            "tiketi_password_hashes_total", "Passwords that were hashed, to set or to check one.")
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        maxOutstanding = threads + maxWaiting
        self.parameters = parameters
        decoy = try await pool.runIfActive {
            try Argon2id.hash(
                Secret.randomBytes(Secret.byteCount), salt: Secret.randomBytes(Argon2id.saltBytes),
                parameters: parameters)
        }
    }

    func shutdown() async { try? await pool.shutdownGracefully() }

    /// In the encoded form.
    func hash(_ password: String) async throws -> String {
        let parameters = parameters
        return try await run {
            try Argon2id.hash(
                Array(password.utf8), salt: Secret.randomBytes(Argon2id.saltBytes), parameters: parameters)
        }
    }

    /// - Parameter encoded: nil for an account without a password, or for none at all. Takes as long as a hash.
    func verify(_ password: String, _ encoded: String?) async throws -> Bool {
        let checked = encoded ?? decoy
        let fits = try await run { Argon2id.verify(Array(password.utf8), encoded: checked) }
        return fits && encoded != nil
    }

    /// Whether it was made with other parameters than now.
    func isOutdated(_ encoded: String) -> Bool { Argon2id.parameters(of: encoded) != parameters }

    private func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        let isAdmitted = outstanding.withLock { outstanding in
            guard outstanding < maxOutstanding else { return false }
            outstanding += 1
            return true
        }
        guard isAdmitted else { throw Problem.overloaded }
        defer { outstanding.withLock { $0 -= 1 } }
        computed.increment()
        return try await pool.runIfActive(body)
    }
}
