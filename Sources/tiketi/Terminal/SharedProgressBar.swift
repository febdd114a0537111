import Synchronization

/// A progress bar that several tasks may move.
final class SharedProgressBar: Sendable {
    private let bar: Mutex<ProgressBar>

    init(_ title: String, unit: ProgressBar.Unit) {
        bar = Mutex(ProgressBar(title, unit: unit))
    }

    func update(_ done: Int64, of total: Int64?, note: String = "") {
        bar.withLock { $0.update(done, of: total, note: note) }
    }

    func finish() {
        bar.withLock { $0.finish() }
    }
}
