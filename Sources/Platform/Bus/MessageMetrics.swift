package struct MessageMetrics: Sendable {
    let stored: Counter
    let repeats: Counter
    let deadLetters: Counter

    package init(_ metrics: Metrics) {
        stored = metrics.counter(
            "tiketi_messages_stored_total", "Messages that the reader wants, stored with their effect.")
        repeats = metrics.counter("tiketi_messages_repeated_total", "Messages that were stored before.")
        deadLetters = metrics.counter(
            "tiketi_messages_dead_lettered_total", "Messages that could not be read and went to the dead-letter stream."
        )
    }
}
