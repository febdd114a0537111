package import Core

/// What a plan depends on besides its question.
package struct PlanContext: Sendable {
    /// Milliseconds since 1970.
    package let now: Int64
    package let reporting: ReportingCalendar

    package init(now: Int64, reporting: ReportingCalendar) {
        self.now = now
        self.reporting = reporting
    }

    package var today: Day { reporting.day(of: now) }
}
