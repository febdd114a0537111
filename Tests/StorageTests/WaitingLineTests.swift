import TestSupport
import Testing

@testable import Storage

struct WaitingLineTests {
    @Test func itIsAnArrayThatIsTakenFromTheFront() {
        var random = SeededGenerator()
        var line = WaitingLine<Int>()
        var expected: [Int] = []
        for number in 0..<10_000 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<4:
                line.append(number)
                expected.append(number)
            case 4..<7: #expect(line.next() == (expected.isEmpty ? nil : expected.removeFirst()), "\(random)")
            default:
                let wanted = expected.randomElement(using: &random) ?? -1
                #expect(line.remove { $0 == wanted } == (wanted == -1 ? nil : wanted), "\(random)")
                expected.removeAll { $0 == wanted }
            }
            #expect(line.count == expected.count && line.isEmpty == expected.isEmpty, "\(random)")
        }
        #expect(line.removeAll() == expected, "\(random)")
        #expect(line.isEmpty && line.next() == nil)
    }
}
