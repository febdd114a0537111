package import Platform

package struct ShipMetrics: Sendable {
    let batches: Counter
    let beacons: Counter
    let bytes: Counter
    let failures: Counter
    let missingPartitions: Counter
    let lagMs: Gauge
    /// Receipt of the oldest beacon in the spool that isn't stored, milliseconds since 1970; 0 where there is none.
    let oldestReceivedAt = Gauge()

    /// - Parameter clock: milliseconds since 1970.
    package init(_ metrics: Metrics, clock: @escaping @Sendable () -> Int64 = TrackEndpoint.wallClock) {
        batches = metrics.counter("tiketi_ship_batches_total", "Batches stored in Postgres.")
        beacons = metrics.counter("tiketi_ship_beacons_total", "Beacons stored in Postgres.")
        bytes = metrics.counter("tiketi_ship_bytes_total", "Bytes of the stored blocks.")
        failures = metrics.counter("tiketi_ship_failures_total", "Attempts to store a batch that failed.")
        missingPartitions = metrics.counter(
            "tiketi_ship_missing_partitions_total",
            "Batches that found no partition of their day and had it made: partitions are not made ahead.")
        lagMs = metrics.gauge(
            "tiketi_ship_lag_milliseconds", "From a batch's first receipt to its commit, of the last batch.")
        metrics.gauge(
            "tiketi_spool_oldest_age_seconds", "How long ago the oldest beacon that isn't in Postgres was received."
        ) { [oldestReceivedAt] in
            let oldest = oldestReceivedAt.value
            return oldest == 0 ? 0 : Double(max(0, clock() - Int64(oldest))) / 1000
        }
    }
}
