/// What is fuzzed. Each takes any bytes at all, and throws or stops the process where a rule is broken.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The body of a `/track` request.
    case body
    /// What a client sends on a connection of the ingest server.
    case connection
    /// A segment of the spool.
    case segment
    /// A stored block.
    case block
    /// A stored run of message ids.
    case run

    package func callAsFunction(_ bytes: UnsafeRawBufferPointer) throws {
        switch self {
        case .body: try FuzzBody.run(bytes)
        case .connection: try FuzzConnection.run(bytes)
        case .segment: FuzzSegment.run(bytes)
        case .block: try FuzzBlock.run(bytes)
        case .run: try FuzzRun.run(bytes)
        }
    }
}
