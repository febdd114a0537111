import Core
import Storage

/// Names for ids.
enum NameQueries {
    static func names(_ family: TrafficFamily, _ ids: [String]) -> SQL {
        family == .event
            ? "SELECT event_id, title FROM event_names WHERE event_id = ANY(\(ids))"
            : "SELECT artist_id, name FROM artist_names WHERE artist_id = ANY(\(ids))"
    }

    static func read(
        _ family: TrafficFamily, _ ids: [String], on connection: PostgresConnection
    ) throws -> [ExactText: String] {
        guard !ids.isEmpty, family != .site else { return [:] }
        var byID: [ExactText: String] = [:]
        for row in try connection.query(names(family, ids)) {
            byID[ExactText(try row.get(0))] = try row.get(1, as: String.self)
        }
        return byID
    }
}
