import Foundation

/// How long and how hard the crash test runs: modest in `make test`, a whole minute in `make crash`.
struct CrashScale {
    /// Seconds of load.
    var seconds = 8.0
    /// Beacons offered a second.
    var rate = 2000
    /// How often each of ingest, Postgres, Redis and the rollup is killed.
    var kills = 2

    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        seconds = environment["TIKETI_CRASH_SECONDS"].flatMap { Double($0) } ?? seconds
        rate = environment["TIKETI_CRASH_RATE"].flatMap { Int($0) } ?? rate
        kills = environment["TIKETI_CRASH_KILLS"].flatMap { Int($0) } ?? kills
    }

    var requests: Int { Int(seconds * Double(rate)) / OfferedBeacons.defaultPerRequest }
}
