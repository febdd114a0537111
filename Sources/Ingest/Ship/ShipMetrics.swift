package import Platform

package struct ShipMetrics: Sendable {
    let batches: Counter
    let beacons: Counter
    let bytes: Counter
    let failures: Counter
    let lagMs: Gauge

    package init(_ metrics: Metrics) {
        batches = metrics.counter("tiketi_ship_batches_total", "Batches stored in Postgres.")
        beacons = metrics.counter("tiketi_ship_beacons_total", "Beacons stored in Postgres.")
        bytes = metrics.counter("tiketi_ship_bytes_total", "Bytes of the stored blocks.")
        failures = metrics.counter("tiketi_ship_failures_total", "Attempts to store a batch that failed.")
        lagMs = metrics.gauge(
            "tiketi_ship_lag_milliseconds", "From a batch's first receipt to its commit, of the last batch.")
    }
}
