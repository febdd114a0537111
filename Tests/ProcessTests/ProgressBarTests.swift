import Testing

@testable import tiketi

@Suite struct ProgressBarTests {
    @Test func knownTotalIsABar() {
        #expect(
            ProgressBar.line(
                "import", done: 3 << 20, of: 4 << 20, unit: .bytes, note: "12,000 beacons", elapsed: .seconds(3),
                columns: 80)
                == "import  " + String(repeating: "█", count: 21) + String(repeating: "░", count: 7)
                + "  75%  1.0 MiB/s  12,000 beacons  0:01 left")
    }

    @Test func unknownTotalIsACount() {
        #expect(
            ProgressBar.line(
                "fold", done: 2_500_000, of: nil, unit: .count("beacons"), note: "", elapsed: .seconds(10), columns: 80)
                == "fold  2.5M beacons  250k beacons/s")
    }

    /// Any width, share and rate: one line within the terminal, which would otherwise wrap and not be erased.
    @Test func lineFitsTheTerminal() {
        for columns in [1, 10, 20, 40, 79, 80, 200] {
            for (done, total) in [(0, 0), (0, 10), (5, 10), (10, 10), (11, 10), (1, nil)] as [(Int64, Int64?)] {
                for elapsed: Duration in [.zero, .milliseconds(1), .seconds(100_000)] {
                    let line = ProgressBar.line(
                        "import", done: done, of: total, unit: .bytes, note: "a note", elapsed: elapsed,
                        columns: columns)
                    #expect(line.count < max(columns, 1) || line.isEmpty, "\(columns): \(line)")
                }
            }
        }
    }
}
