import Platform

struct PaymentMetrics: Sendable {
    let approved: Counter
    let refused: Counter
    let refunds: Counter
    let mistakes: Counter
    let webhooksStored: Counter
    let webhooksTurnedAway: Counter
    let stuck: Gauge
    let manualRefunds: Gauge
    let differences: Gauge
    let tossSeconds: Histogram

    init(_ metrics: Metrics) {
        approved = metrics.counter("tiketi_payments_approved_total", "Payments that Toss has approved.")
        refused = metrics.counter("tiketi_payments_refused_total", "Payments that took no money.")
        refunds = metrics.counter("tiketi_payments_refunds_total", "Refunds that Toss has made.")
        mistakes = metrics.counter(
            "tiketi_payments_toss_mistakes_total", "Calls that Toss refused for our keys or what we sent.")
        webhooksStored = metrics.counter("tiketi_payments_webhooks_stored_total", "Webhooks that were stored.")
        webhooksTurnedAway = metrics.counter(
            "tiketi_payments_webhooks_turned_away_total", "Webhooks that found too many waiting.")
        stuck = metrics.gauge("tiketi_payments_stuck", "Payments whose next step is overdue: somebody must look.")
        manualRefunds = metrics.gauge(
            "tiketi_payments_refunds_refused", "Refunds that can't be made: somebody must look.")
        differences = metrics.gauge(
            "tiketi_payments_reconciliation_differences", "Differences from Toss's list that are not resolved.")
        tossSeconds = metrics.histogram("tiketi_payments_toss_seconds", "How long Toss takes to answer.")
    }
}
