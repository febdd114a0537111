/// Connections to one database; see `PostgresError` for what it throws.
package typealias PostgresPool = ConnectionPool<PostgresConnection>
