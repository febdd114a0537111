import Platform
import Testing

@Suite struct MetricsTests {
    @Test func theExpositionIsPrometheusText() {
        let metrics = Metrics()
        metrics.counter("tiketi_x_things_total", "Things\nand \\ more.").increment(by: 3)
        metrics.counter("tiketi_x_errors_total", "Errors.", labels: ["kind": "a\"b\\c\nd", "at": "1"]).increment()
        metrics.counter("tiketi_x_errors_total", "Errors.", labels: ["kind": "other", "at": "2"]).increment(by: 2)
        metrics.gauge("tiketi_x_depth", "Depth.").set(-4)
        metrics.gauge("tiketi_x_ratio", "Ratio.", reading: { 0.25 })
        metrics.gauge("tiketi_x_limit", "Limit.", reading: { .infinity })
        let histogram = metrics.histogram("tiketi_x_wait_seconds", "Waits.", labels: ["step": "1"], bounds: [0.5, 1])
        for value in [0.25, 0.5, 0.75, 2] { histogram.observe(value) }
        #expect(
            metrics.exposition() == #"""
                # HELP tiketi_x_things_total Things\nand \\ more.
                # TYPE tiketi_x_things_total counter
                tiketi_x_things_total 3
                # HELP tiketi_x_errors_total Errors.
                # TYPE tiketi_x_errors_total counter
                tiketi_x_errors_total{kind="a\"b\\c\nd",at="1"} 1
                tiketi_x_errors_total{kind="other",at="2"} 2
                # HELP tiketi_x_depth Depth.
                # TYPE tiketi_x_depth gauge
                tiketi_x_depth -4
                # HELP tiketi_x_ratio Ratio.
                # TYPE tiketi_x_ratio gauge
                tiketi_x_ratio 0.25
                # HELP tiketi_x_limit Limit.
                # TYPE tiketi_x_limit gauge
                tiketi_x_limit +Inf
                # HELP tiketi_x_wait_seconds Waits.
                # TYPE tiketi_x_wait_seconds histogram
                tiketi_x_wait_seconds_bucket{step="1",le="0.5"} 2
                tiketi_x_wait_seconds_bucket{step="1",le="1"} 3
                tiketi_x_wait_seconds_bucket{step="1",le="+Inf"} 4
                tiketi_x_wait_seconds_sum{step="1"} 3.5
                tiketi_x_wait_seconds_count{step="1"} 4

                """#)
    }

    @Test func askingTwiceYieldsTheSameInstrument() {
        let metrics = Metrics()
        #expect(metrics.counter("a_total", "A.") === metrics.counter("a_total", "A."))
        #expect(
            metrics.counter("b_total", "B.", labels: ["k": "1"])
                !== metrics.counter("b_total", "B.", labels: ["k": "2"]))
        #expect(metrics.gauge("g", "G.") === metrics.gauge("g", "G."))
        #expect(metrics.histogram("h", "H.") === metrics.histogram("h", "H."))
    }

    @Test func nothingIsLostBetweenThreads() async {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", "A.")
        let histogram = metrics.histogram("h", "H.", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(histogram.counts == [80_000, 0])
        #expect(histogram.sum == 40_000)
    }
}
