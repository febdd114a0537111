import Core
import Testing

@testable import ReservationService

struct RefundPolicyTests {
    private static let policy = RefundPolicy.v1

    /// In Seoul's time.
    private static func seoul(_ text: String) -> Int64 { Instant.parse(text + "+09:00")! }

    /// Booked long ago, so that only the days count. The show: 2026-07-15, 19:00 in Seoul.
    @Test(arguments: [
        ("2026-06-01T12:00", 0), ("2026-07-05T23:59:59.999", 0), ("2026-07-05T00:00", 0),
        // Ten days before at any hour; nine from midnight in Seoul on, which is 15:00 in UTC.
        ("2026-07-06T00:00", 10), ("2026-07-08T23:59:59.999", 10),
        ("2026-07-09T00:00", 20), ("2026-07-12T23:59:59.999", 20),
        ("2026-07-13T00:00", 30), ("2026-07-14T23:59:59.999", 30), ("2026-07-14T17:00", 30),
        ("2026-07-15T00:00", 90), ("2026-07-15T18:59:59.999", 90),
    ]) func daysAreCalendarDaysInSeoul(_ now: String, _ fee: Int64) {
        #expect(
            Self.policy.feePercent(
                startsAt: Self.seoul("2026-07-15T19:00"), bookedAt: Self.seoul("2026-05-01T10:00"),
                now: Self.seoul(now)) == fee)
    }

    @Test func nothingIsGivenBackOnceItHasBegun() {
        let starts = Self.seoul("2026-07-15T19:00")
        for now in [starts, starts + 1, starts + 86_400_000] {
            #expect(Self.policy.feePercent(startsAt: starts, bookedAt: now - 1000, now: now) == nil)
        }
    }

    /// The show begins just after midnight, or just before: its day is Seoul's, not UTC's.
    @Test(arguments: [
        ("2026-07-15T00:00", "2026-07-14T23:59:59", 30), ("2026-07-15T00:00:01", "2026-07-15T00:00", 90),
        ("2026-07-15T23:59", "2026-07-15T00:00", 90), ("2026-07-15T23:59", "2026-07-14T23:59", 30),
        // 00:30 in Seoul is the day before in UTC.
        ("2026-07-15T00:30", "2026-07-05T23:59", 0), ("2026-07-15T00:30", "2026-07-06T00:00", 10),
        // Over a leap day and over the new year.
        ("2028-03-02T19:00", "2028-02-28T10:00", 20), ("2028-03-01T19:00", "2028-02-28T10:00", 30),
        ("2027-01-05T19:00", "2026-12-26T23:59", 0), ("2027-01-05T19:00", "2026-12-27T00:00", 10),
    ]) func midnightIsSeouls(_ starts: String, _ now: String, _ fee: Int64) {
        #expect(
            Self.policy.feePercent(
                startsAt: Self.seoul(starts), bookedAt: Self.seoul("2026-01-01T00:00"), now: Self.seoul(now)) == fee)
    }

    @Test(arguments: [
        // Within a day of the booking and three days ahead, or more.
        ("2026-07-11T12:00", "2026-07-12T12:00", 0), ("2026-07-11T12:00", "2026-07-12T12:00:00.001", 20),
        ("2026-07-12T23:59", "2026-07-12T23:59:59", 0),
        // Two days ahead it is no more.
        ("2026-07-12T23:59", "2026-07-13T00:00", 30), ("2026-07-14T12:00", "2026-07-14T12:01", 30),
        ("2026-07-15T12:00", "2026-07-15T12:01", 90),
        ("2026-07-08T12:00", "2026-07-08T13:00", 0), ("2026-07-07T12:00", "2026-07-08T13:00", 10),
    ]) func aBookingOfTheLastDayIsFree(_ booked: String, _ now: String, _ fee: Int64) {
        #expect(
            Self.policy.feePercent(
                startsAt: Self.seoul("2026-07-15T19:00"), bookedAt: Self.seoul(booked), now: Self.seoul(now)) == fee)
    }

    @Test(
        arguments: [
            (110_000, 0, 110_000), (110_000, 10, 99_000), (110_000, 90, 11_000), (110_000, 100, 0),
            // A fee of 3.3 is 3; of 0.9, nothing.
            (33, 10, 30), (1, 90, 1), (9, 10, 9), (11, 90, 2), (99, 30, 70), (0, 30, 0),
            (Int64.max, 0, Int64.max), (Int64.max, 100, 0), (Int64.max, 90, 922_337_203_685_477_581),
        ] as [(Int64, Int64, Int64)]) func aFractionIsTheBuyers(_ price: Int64, _ fee: Int64, _ refund: Int64)
    {
        #expect(RefundPolicy.refund(of: price, feePercent: fee) == refund)
    }

    @Test func theSnapshotIsReadBackAsItWas() throws {
        #expect(try RefundPolicy(json: Self.policy.json) == Self.policy)
        #expect(
            Self.policy.json
                == #"{"graceDays":3,"graceHours":24,"tiers":[{"feePercent":0,"fromDays":10},"#
                + #"{"feePercent":10,"fromDays":7},{"feePercent":20,"fromDays":3},{"feePercent":30,"fromDays":1},"#
                + #"{"feePercent":90,"fromDays":0}],"version":1}"#)
    }
}
