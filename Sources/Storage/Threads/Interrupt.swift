import Glibc
import Synchronization

/// Wakes a thread that waits for its connection's socket: a pipe that is waited for along with it.
package final class Interrupt: Sendable {
    package enum Outcome: Sendable { case ready, interrupted, timedOut }

    package struct PipeFailed: Error {}

    private let readEnd: CInt
    private let writeEnd: CInt
    /// So that nobody asks the system where nothing was signalled, which is nearly always.
    private let isRaised = Atomic(false)

    package init() throws(PipeFailed) {
        var ends: (CInt, CInt) = (-1, -1)
        let made = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe pipe(bytes.assumingMemoryBound(to: CInt.self).baseAddress)
        }
        guard made == 0 else { throw PipeFailed() }
        (readEnd, writeEnd) = ends
        for end in [readEnd, writeEnd] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Wakes the waiting thread, now or at its next wait. From any thread; never blocks.
    package func signal() {
        isRaised.store(true, ordering: .sequentiallyConsistent)
        var byte: UInt8 = 1
        // A full pipe is signalled already.
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Not while anybody may signal.
    package func clear() {
        guard isRaised.exchange(false, ordering: .sequentiallyConsistent) else { return }
        var byte: UInt8 = 0
        while unsafe read(readEnd, &byte, 1) > 0 {}
    }

    package var isSignaled: Bool { isRaised.load(ordering: .sequentiallyConsistent) }

    /// Waits until the socket is ready for `events` (POLLIN, POLLOUT) or failed, or this is signalled, or it is late.
    ///
    /// - Parameter interruptible: False to wait through a signal.
    package func wait(
        for socket: CInt, events: CInt, until deadline: ContinuousClock.Instant?, interruptible: Bool = true
    ) -> Outcome {
        while true {
            var milliseconds: CInt = -1
            if let deadline {
                let left = deadline - .now
                if left <= .zero { return .timedOut }
                let (seconds, attoseconds) = left.components
                milliseconds = CInt(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
            }
            var wanted = [
                pollfd(fd: socket, events: Int16(events), revents: 0),
                // poll ignores negative descriptors.
                pollfd(fd: interruptible ? readEnd : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = unsafe poll(&wanted, 2, milliseconds)
            if ready < 0 && errno != EINTR { return .ready }
            guard ready > 0 else { continue }
            return wanted[1].revents != 0 ? .interrupted : .ready
        }
    }

    /// Whether the socket has something to read, or its end.
    package static func isReadable(_ socket: CInt) -> Bool {
        var wanted = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        return unsafe poll(&wanted, 1, 0) != 0
    }
}
