package import Platform

package struct RollupMetrics: Sendable {
    let batches: Counter
    let beacons: Counter
    let repeats: Counter
    let failures: Counter
    let damaged: Counter
    let compacted: Counter

    package init(_ metrics: Metrics) {
        batches = metrics.counter("tiketi_rollup_batches_total", "Batches folded.")
        beacons = metrics.counter("tiketi_rollup_beacons_total", "Beacons folded, repeats included.")
        repeats = metrics.counter("tiketi_rollup_repeats_total", "Beacons that repeated an earlier messageId.")
        failures = metrics.counter("tiketi_rollup_failures_total", "Rollup steps that failed and were tried again.")
        damaged = metrics.counter(
            "tiketi_rollup_damaged_batches_total", "Batches set aside because they could not be folded.")
        compacted = metrics.counter(
            "tiketi_rollup_compacted_batches_total", "Small batches that were merged with others.")
    }
}
