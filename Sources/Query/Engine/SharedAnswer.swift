import Dispatch
import Platform

/// An answer that many ask for at once: found once, and handed to all who ask within a moment.
actor SharedAnswer<Value: Sendable> {
    private let maxAgeMs: Int64
    private let maxStaleMs: Int64
    private let now: @Sendable () -> Int64
    private let find: @Sendable () async throws -> Value
    private var last: (value: Value, at: Int64)?
    private var finding: Task<Value, any Error>?

    /// - Parameters:
    ///   - maxStaleMs: beyond `maxAgeMs`, how much older an answer may be while the next one is being found: so nobody
    ///     waits for it as long as answers are asked for all the time.
    ///   - now: milliseconds of a clock that only goes forward.
    init(
        maxAgeMs: Int64, maxStaleMs: Int64 = 0,
        now: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) },
        find: @escaping @Sendable () async throws -> Value
    ) {
        self.maxAgeMs = maxAgeMs
        self.maxStaleMs = maxStaleMs
        self.now = now
        self.find = find
    }

    /// A failure is handed to those who wait for it, and not kept.
    func value() async throws -> Value {
        let age = last.map { now() - $0.at }
        if let age, age < maxAgeMs { return last!.value }
        let finding = finding ?? begin()
        if let age, age < maxAgeMs + maxStaleMs { return last!.value }
        return try await finding.value
    }

    private func begin() -> Task<Value, any Error> {
        let begun = now()
        // Of its own, so that whoever gives up waiting does not take it from the others.
        let task = Task {
            defer { finding = nil }
            let value = try await find()
            last = (value, begun)
            return value
        }
        finding = task
        return task
    }
}
