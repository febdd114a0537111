package import Platform

/// What the track endpoint counts, once a request and never once a beacon.
package struct TrackMetrics: Sendable {
    let accepted: Counter
    let overflow: Counter
    /// By `TrackField.rawValue`.
    let rejected: [Counter]
    let receivedBytes: Counter
    package let inFlightBytes: Gauge
    let answerSeconds: Histogram
    private let responses: [Int: Counter]
    private let otherResponses: Counter

    private static let statuses = [200, 202, 204, 400, 405, 413, 414, 415, 429, 500, 503]

    package init(_ metrics: Metrics) {
        accepted = metrics.counter("tiketi_track_beacons_accepted_total", "Beacons acknowledged.")
        overflow = metrics.counter(
            "tiketi_track_beacons_overflow_total", "Beacons of hot artists, taken into the overflow lane.")
        rejected = TrackField.allCases.map { field in
            metrics.counter(
                "tiketi_track_beacons_rejected_total", "Beacons rejected, by the field at fault.",
                labels: ["field": field == .beacon ? "beacon" : field.name])
        }
        receivedBytes = metrics.counter("tiketi_track_received_bytes_total", "Bytes of bodies, as they came.")
        inFlightBytes = metrics.gauge("tiketi_track_inflight_bytes", "Bytes of requests not yet answered.")
        answerSeconds = metrics.histogram(
            "tiketi_track_answer_seconds", "From the last byte of an accepted request to its answer.")
        func responses(_ status: String) -> Counter {
            metrics.counter(
                "tiketi_track_responses_total", "Answers of the track endpoint, by status.", labels: ["status": status])
        }
        self.responses = Dictionary(uniqueKeysWithValues: Self.statuses.map { ($0, responses(String($0))) })
        otherResponses = responses("other")
    }

    func count(_ outcome: TrackOutcome) {
        for (index, count) in outcome.rejectedByField.enumerated() where count > 0 {
            rejected[index].increment(by: count)
        }
    }

    func countResponse(_ status: Int, by count: Int = 1) {
        (responses[status] ?? otherResponses).increment(by: count)
    }
}
