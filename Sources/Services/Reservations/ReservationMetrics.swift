import Platform

struct ReservationMetrics: Sendable {
    let held: Counter
    let refusedFast: Counter
    let refused: Counter
    let sold: Counter
    let swept: Counter

    init(_ metrics: Metrics) {
        held = metrics.counter("tiketi_reservations_held_total", "Reservations that were held.")
        refusedFast = metrics.counter(
            "tiketi_reservations_refused_fast_total", "Holds refused because Redis had a seat as taken.")
        refused = metrics.counter(
            "tiketi_reservations_refused_total", "Holds refused by Postgres because a seat was taken.")
        sold = metrics.counter("tiketi_reservations_sold_total", "Reservations that were sold, repeats among them.")
        swept = metrics.counter("tiketi_reservations_swept_total", "Holds that the sweeper found over.")
    }
}
