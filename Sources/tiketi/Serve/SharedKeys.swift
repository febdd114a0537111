import Platform

/// The keys of a process, made when they are first asked for.
actor SharedKeys {
    private var made: KeySource?

    func source(_ make: @Sendable () async throws -> KeySource) async rethrows -> KeySource {
        if let made { return made }
        let source = try await make()
        made = made ?? source
        return made!
    }
}
