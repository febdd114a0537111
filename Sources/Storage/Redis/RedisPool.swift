/// Connections to one Redis; see `RedisError` for what it throws.
package typealias RedisPool = ConnectionPool<RedisConnection>
