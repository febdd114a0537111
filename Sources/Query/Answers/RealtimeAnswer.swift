import Core
package import Platform

/// The last minutes of the whole site, and who has just booked.
package struct RealtimeAnswer: Equatable, Sendable {
    package struct Minute: Equatable, Sendable {
        /// Its first instant.
        package var start: Int64
        package var pageViews: Int64
    }

    package struct Booking: Equatable, Sendable {
        package var at: Int64
        package var artistID: String
        package var artistName: String?
        package var eventID: String
        package var eventName: String?
        package var tickets: Int64
        /// Minor units.
        package var amount: Int64
        package var currency: String
    }

    /// Nil where Redis can't be reached, as is `minutes`.
    package var visitorsLast5Minutes: Int64?
    /// The one that is filling first.
    package var minutes: [Minute]?
    /// The latest first.
    package var bookings: [Booking]
    package var freshness: Freshness
    /// When it was found.
    package var now: Int64

    /// What a minute brings at present: this one, and of the one before it the share that lies less than a minute back.
    package var viewsPerMinute: Int64? {
        guard let minutes, minutes.count > 1 else { return nil }
        let passed = min(max(now - minutes[0].start, 0), 60_000)
        return minutes[0].pageViews + Rounded.quotient(minutes[1].pageViews * (60_000 - passed), 60_000)
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("visitorsLast5Minutes", visitorsLast5Minutes)
            json.member("viewsPerMinute", viewsPerMinute)
            if let minutes {
                json.member("minutes", array: minutes) { json, minute in
                    json.object { json in
                        json.member("minute", Instant.iso8601(minute.start))
                        json.member("pageViews", minute.pageViews)
                    }
                }
            } else {
                json.member("minutes", raw: "null")
            }
            json.member("latestBookings", array: bookings) { json, booking in
                json.object { json in
                    json.member("at", Instant.iso8601(booking.at))
                    json.member("artistId", booking.artistID)
                    json.member("artistName", booking.artistName)
                    json.member("eventId", booking.eventID)
                    json.member("eventName", booking.eventName)
                    json.member("tickets", booking.tickets)
                    json.member("amount", booking.amount)
                    json.member("currency", booking.currency)
                }
            }
            json.member("freshness", object: freshness.writeBacklog)
            freshness.write(to: &json, complete: false)
        }
    }
}
