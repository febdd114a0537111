/// The spool's bounds.
package struct SpoolSettings: Sendable {
    package var directory: String
    /// Preallocated size of a segment file. Above `SpoolFrame.maxPayloadBytes`, or large requests are refused.
    package var segmentBytes = 64 << 20
    /// High-water mark: above it beacons are refused until the shipper has caught up.
    package var maxBytes = 8 << 30
    /// Beacons waiting for a group commit, in bytes of their records.
    package var maxQueuedBytes = 64 << 20
    /// The same of the overflow lane.
    package var maxOverflowBytes = 32 << 20
    /// A group that holds more takes one request of the overflow lane, and no second one.
    package var overflowGroupBytes = 512 << 10
    /// One group commit; what waits beyond it goes into the next.
    package var maxGroupBytes = 4 << 20
    /// Beacons of one group commit, unless one request has more: a batch is made of whole groups, and a block has its
    /// own bound.
    package var maxGroupBeacons = 20_000
    /// Requests waiting for `Durability.stored`.
    package var maxStoredWaiters = 10_000

    package init(directory: String) {
        self.directory = directory
    }
}
