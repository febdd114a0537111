import Core

extension ClosedRange<Day> {
    var dayCount: Int { upperBound - lowerBound + 1 }
}
