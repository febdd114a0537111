/// Makes a value once for all who ask for it while it is being made.
actor SingleFlight<Value: Sendable> {
    private var flights: [String: Task<Value, any Error>] = [:]

    func value(_ key: String, _ make: @escaping @Sendable () async throws -> Value) async throws -> Value {
        if let flight = flights[key] { return try await flight.value }
        // Its own task: who began it may go away, and the others still want it.
        let flight = Task { try await make() }
        flights[key] = flight
        defer { flights[key] = nil }
        return try await flight.value
    }
}
