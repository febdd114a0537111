import ArgumentParser

/// A length of time as people write it: `90`, `90s`, `15m`, `2h`.
struct SpanOption: ExpressibleByArgument, Equatable, Sendable {
    static let maxSeconds = 366 * 86_400.0

    var duration: Duration

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number > 0,
            number * (unit ?? 1) <= Self.maxSeconds
        else { return nil }
        duration = .seconds(number * (unit ?? 1))
    }
}
