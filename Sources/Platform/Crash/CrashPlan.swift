#if DEBUG
    import Foundation
    import Synchronization
#endif

/// Kills a process at a named moment, in a debug build, where `TIKETI_CRASH_AT` says so. In a release build it does
/// nothing.
///
/// `TIKETI_CRASH_AT=frameSynced:17` kills this process (SIGKILL) at the 17th time that the moment comes;
/// `TIKETI_CRASH_AT=frameSynced:17:4711` kills process 4711 instead, and this one goes on.
package enum CrashPlan {
    /// - Returns: whether another process was killed just now.
    @discardableResult
    package static func reached(_ point: String) -> Bool {
        #if DEBUG
            guard let plan, plan.point == point, timesReached.add(1, ordering: .relaxed).newValue == plan.time else {
                return false
            }
            // An answer that was given too early must get out before the crash that belies it.
            usleep(pauseMicroseconds)
            FileHandle.standardError.write(Data("\(mark)\(point): killing \(plan.victim)\n".utf8))
            kill(plan.victim, SIGKILL)
            return plan.victim != getpid()
        #else
            return false
        #endif
    }

    #if DEBUG
        /// Begins the line on stderr that says that a process is being killed.
        package static let mark = "crash point "

        private static let pauseMicroseconds: UInt32 = 20_000
        private static let timesReached = Atomic<Int>(0)
        private static let plan = ProcessInfo.processInfo.environment["TIKETI_CRASH_AT"].map(Plan.init)

        private struct Plan {
            var point: String
            var time: Int
            var victim: Int32

            init(_ text: String) {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard (2...3).contains(parts.count), !parts[0].isEmpty, let time = Int(parts[1]),
                    let victim = parts.count == 2 ? getpid() : Int32(parts[2]), victim > 1
                else { fatalError("TIKETI_CRASH_AT is POINT:TIME or POINT:TIME:PID, not \(text)") }
                self.point = parts[0]
                self.time = time
                self.victim = victim
            }
        }
    #endif
}
