import Core

extension TrafficCell {
    var numbers: TrafficNumbers {
        // A few thousand ids, made up to fill a sketch, would else be a billion visitors.
        TrafficNumbers(
            pageViews: pageViews, uniqueVisitors: min(Int64(visitors.value), beacons), sessions: sessions,
            sessionMs: sessionMs)
    }
}
