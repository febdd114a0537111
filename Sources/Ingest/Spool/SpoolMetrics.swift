package import Platform

package struct SpoolMetrics: Sendable {
    let groupCommitSeconds: Histogram
    let groupBeacons: Histogram
    let bytesOnDisk: Gauge
    let refusedFull: Counter

    package init(_ metrics: Metrics) {
        groupCommitSeconds = metrics.histogram(
            "tiketi_spool_group_commit_seconds", "From taking a group of requests to their sync.")
        groupBeacons = metrics.histogram(
            "tiketi_spool_group_beacons", "Beacons in one group commit.",
            bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000])
        bytesOnDisk = metrics.gauge("tiketi_spool_bytes", "Bytes of the spool's segments on disk.")
        refusedFull = metrics.counter("tiketi_spool_refused_total", "Requests refused because a bound was reached.")
    }
}
