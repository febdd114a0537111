/// One tracked user action, as a value. The pipeline works on `BeaconBatch`; this is for display, imports and tests.
package struct Beacon: Sendable, Equatable {
    /// Milliseconds since 1970; see `BeaconBatch`.
    package var receivedAt: Int64
    package var timestamp: Int64
    package var claimed: Int64
    package var flags: BeaconBatch.Flags
    /// Indexed by `BeaconBatch.Text.rawValue`.
    package var texts: [String?]

    package init(
        receivedAt: Int64, timestamp: Int64, claimed: Int64? = nil, flags: BeaconBatch.Flags = [],
        texts: [String?] = BeaconBatch.Text.allCases.map { _ in nil }
    ) {
        self.receivedAt = receivedAt
        self.timestamp = timestamp
        self.claimed = claimed ?? timestamp
        self.flags = flags
        self.texts = texts
    }

    package subscript(text: BeaconBatch.Text) -> String? {
        get { texts[text.rawValue] }
        set { texts[text.rawValue] = newValue }
    }
}
