import Core

/// Names one life of a spool directory: what one opening of it appends.
///
/// The upper 16 bits are the directory's, and stay; the lower 48 are random in each life. So whatever happened to the
/// files — a copy put back, a last frame lost — no number that Postgres has seen is given out again under a name that
/// it knows.
enum SpoolIdentity {
    private static let directoryShift: UInt64 = 48

    /// - Parameter predecessor: an identity of the same directory; nil for a new one.
    static func new(after predecessor: UInt64?) -> UInt64 {
        let directory = predecessor.map { $0 >> directoryShift } ?? UInt64.random(in: 0...UInt64(UInt16.max))
        return directory << directoryShift | UInt64.random(in: 1..<(1 << directoryShift))
    }

    /// The digits with which every life of the directory begins.
    static func directoryPrefix(_ identity: UInt64) -> String { String(Hexadecimal.text(identity).prefix(4)) }
}
