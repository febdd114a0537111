package import Core
import Platform

/// The total of an earlier range, beside which an answer's own is set.
package struct Comparison<Numbers: Equatable & Sendable>: Equatable, Sendable {
    package var days: ClosedRange<Day>
    package var total: Numbers

    /// - Parameter numbers: each a member of `total`, and of `change` in percent.
    func write(
        to json: inout JSONWriter, beside now: Numbers, _ numbers: [(name: String, value: (Numbers) -> Int64)]
    ) {
        json.member("comparison") { json in
            json.member("period") { json in
                json.member("start", days.lowerBound.description)
                json.member("end", days.upperBound.description)
            }
            json.member("total") { json in
                for number in numbers { json.member(number.name, number.value(total)) }
            }
            json.member("change") { json in
                for number in numbers {
                    json.member(
                        number.name, tenths: Rounded.change(from: number.value(total), to: number.value(now)))
                }
            }
        }
    }

    /// For people: `before, 2025-11-01 to 2025-11-30: 1,234 page views (+5.0 %)`.
    func note(beside now: Numbers, _ numbers: [(heading: String, value: (Numbers) -> Int64, text: (Int64) -> String)])
        -> String
    {
        "before, \(days.lowerBound) to \(days.upperBound): "
            + numbers.map { number in
                let before = number.value(total)
                let change = Rounded.change(from: before, to: number.value(now)).map {
                    " (\($0 > 0 ? "+" : "")\(NumberText.tenths($0)) %)"
                }
                return "\(number.heading) \(number.text(before))\(change ?? "")"
            }.joined(separator: ", ")
    }
}
