import Foundation
import Ingest
import Platform
import TestSupport
import Testing

/// The spool behind the servers of these tests: on disk, with nobody to ship it.
enum TrackSpool {
    static func make(in folder: URL) throws -> Spool {
        var settings = SpoolSettings(directory: folder.path)
        settings.segmentBytes = 4 << 20
        return try Spool(settings, metrics: SpoolMetrics(Metrics()), logger: silentLogger) { failure in
            Issue.record("the spool failed: \(failure)")
        }
    }
}
