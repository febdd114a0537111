import Foundation
import Synchronization
import TestSupport

@testable import Storage

/// A disk in memory with one directory, that loses power, runs full and fails as a seed says.
///
/// Processes use it through `mount()`, one after the other.
final class SimulatedDisk: Sendable {
    /// Of one process. Who makes more runs in a circle: every call fails from then on, so that it ends.
    static let maxCalls = 20_000

    struct State {
        var random: SeededGenerator
        var entries = SimulatedEntries()
        /// By file number.
        var contents: [SimulatedContent] = []
        /// Files by number.
        var locked: Set<Int> = []
        /// Counts the processes; the handles of earlier ones are dead.
        var process = 0
        var calls = 0
        var isDown = false
        /// What strikes the call that is being made.
        var striking: SimulatedFault.Kind?
        var faults: [SimulatedFault] = []
        var struck: [SimulatedFault.Kind: Int] = [:]
        /// A sync failed, so that the medium may lack for ever what the cache has.
        var hasFailedSynchronizing = false
        /// A file could not be removed, and others may have been meanwhile.
        var hasFailedRemoving = false
    }

    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(random: SeededGenerator(exactly: seed)))
    }

    /// A new process's view of the disk; earlier ones end without a loss of power.
    func mount() -> SimulatedDirectory {
        state.withLock { state in
            state.endProcess()
            return SimulatedDirectory(disk: self, process: state.process)
        }
    }

    /// What was not synced ends as it may.
    func losePower() {
        Self.trace("POWER LOST")
        state.withLock { state in
            state.entries.losePower(&state.random)
            for file in state.contents.indices { state.contents[file].losePower(&state.random) }
            state.endProcess()
        }
    }

    /// Takes the place of what was to come.
    func setFaults(_ faults: [SimulatedFault]) { state.withLock { $0.faults = faults } }

    var struck: [SimulatedFault.Kind: Int] { state.withLock { $0.struck } }
    /// Whether a fault has ended the process.
    var isDown: Bool { state.withLock { $0.isDown } }
    var hasFailedRemoving: Bool { state.withLock { $0.hasFailedRemoving } }
    var hasFailedSynchronizing: Bool { state.withLock { $0.hasFailedSynchronizing } }

    /// Runs `body` while nothing goes wrong.
    func withoutFaults<R>(_ body: () throws -> R) rethrows -> R {
        let faults = state.withLock { state in
            defer { state.faults = [] }
            return state.faults
        }
        defer { setFaults(faults) }
        return try body()
    }

    var names: [String] { state.withLock { $0.entries.files.keys.sorted() } }

    /// A file's bytes as they would be read now.
    func bytes(of name: String) -> [UInt8] {
        state.withLock { $0.contents[$0.entries.files[name]!].bytes }
    }

    /// Damages a file; false where it isn't on the medium as it is read.
    func flip(bit: Int, of name: String) -> Bool {
        state.withLock { state in
            let file = state.entries.files[name]!
            guard state.contents[file].isSynchronized else { return false }
            state.contents[file].flip(bit: bit)
            return true
        }
    }

    /// Says what happens, for the one seed that is looked into.
    static func trace(_ what: @autoclosure () -> String) {
        if isTracing { print(what()) }
    }

    private static let isTracing = ProcessInfo.processInfo.environment["TIKETI_TRACE"] != nil

    /// Does `body` as a call of `process`, unless a fault strikes.
    ///
    /// - Parameter whenStruck: what the call has done by then.
    func call<R: Sendable>(
        _ call: SimulatedFault.Call, _ path: String, by process: Int,
        whenStruck: (inout State) -> Void = { _ in }, _ body: (inout State) throws(DiskError) -> R
    ) throws(DiskError) -> R {
        try state.withLock { state throws(DiskError) -> R in
            state.calls += 1
            guard process == state.process, !state.isDown, state.calls <= Self.maxCalls else {
                throw DiskError(call: "\(call)", path: path, errno: EIO)
            }
            state.striking = state.strike(call)
            Self.trace("    \(call) \(path)\(state.striking.map { " STRUCK by \($0)" } ?? "")")
            if let kind = state.striking {
                whenStruck(&state)
                throw DiskError(call: "\(call)", path: path, errno: kind == .noSpace ? ENOSPC : EIO)
            }
            return try body(&state)
        }
    }

    /// Until the process ends.
    func tryLock(_ file: Int, by process: Int) -> Bool {
        state.withLock { state in
            process == state.process && !state.isDown && state.locked.insert(file).inserted
        }
    }
}

extension SimulatedDisk.State {
    fileprivate mutating func endProcess() {
        process += 1
        calls = 0
        isDown = false
        faults = []
        locked = []
        let reachable = entries.reachable
        for file in contents.indices where !reachable.contains(file) { contents[file] = SimulatedContent() }
    }

    fileprivate mutating func strike(_ call: SimulatedFault.Call) -> SimulatedFault.Kind? {
        var kind: SimulatedFault.Kind?
        for index in faults.indices where faults[index].count > 0 {
            faults[index].after -= 1
            guard kind == nil, faults[index].after < 0, faults[index].strikes(call) else { continue }
            kind = faults[index].kind
            faults[index].count -= 1
            struck[faults[index].kind, default: 0] += 1
            if kind == .powerCut || kind == .kill { isDown = true }
        }
        return kind
    }

    mutating func content<R>(of file: Int, _ body: (inout SimulatedContent, inout SeededGenerator) -> R) -> R {
        body(&contents[file], &random)
    }
}
