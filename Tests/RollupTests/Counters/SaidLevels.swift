import Logging
import Synchronization

/// Remembers at which levels something was said, from notice on.
final class SaidLevels: LogHandler, Sendable {
    private let said = Mutex<[Logger.Level]>([])
    var levels: [Logger.Level] { said.withLock { $0 } }

    func log(event: LogEvent) {
        said.withLock { $0.append(event.level) }
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .notice }
        set {}
    }
}
