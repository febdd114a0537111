/// What an appender waits for.
package enum Durability: Sendable {
    /// The beacons are on this node's disk.
    case onDisk
    /// They are committed in Postgres.
    case stored
}

/// Why beacons were not taken. Nothing of them was kept, except under `failed`, where it is unknown.
package enum SpoolRefusal: Error, Sendable, Equatable {
    /// A bound was reached: try again after this long.
    case full(retryAfterSeconds: Int)
    /// The process is stopping.
    case draining
    /// The disk failed; the process stops.
    case failed(String)
}
