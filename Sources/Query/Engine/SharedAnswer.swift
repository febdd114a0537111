import Dispatch

/// An answer that many ask for at once: found once, and handed to all who ask within a moment.
actor SharedAnswer<Value: Sendable> {
    private let maxAgeMs: Int64
    private let now: @Sendable () -> Int64
    private let find: @Sendable () async throws -> Value
    private var last: (value: Value, at: Int64)?
    private var finding: Task<Value, any Error>?

    /// - Parameter now: milliseconds of a clock that only goes forward.
    init(
        maxAgeMs: Int64,
        now: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) },
        find: @escaping @Sendable () async throws -> Value
    ) {
        self.maxAgeMs = maxAgeMs
        self.now = now
        self.find = find
    }

    /// A failure is handed to those who wait for it, and not kept.
    func value() async throws -> Value {
        if let last, now() - last.at < maxAgeMs { return last.value }
        if let finding { return try await finding.value }
        // Of its own, so that whoever gives up waiting does not take it from the others.
        let begun = now()
        let task = Task { try await find() }
        finding = task
        defer { finding = nil }
        let value = try await task.value
        last = (value, begun)
        return value
    }
}
