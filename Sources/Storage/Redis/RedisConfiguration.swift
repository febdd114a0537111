import Foundation

/// Where a Redis is and how long to wait for it.
package struct RedisConfiguration: Sendable {
    package static let defaultConnectTimeout = Duration.seconds(5)
    package static let defaultCommandTimeout = Duration.seconds(5)

    package enum Address: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    /// As given. It may hold a password: print the configuration instead.
    package let url: String
    package let address: Address
    package var database: Int
    package var connectTimeout: Duration
    /// How long the server may be silent; what a blocking XREAD may take comes on top.
    package var commandTimeout: Duration
    let user: String?
    let password: String?

    /// - Parameter url: `redis://[[user]:password@]host[:port][/database]` or
    ///   `redis+unix://[[user]:password@]/path/to.sock[?db=database]`.
    package init(
        url: String, connectTimeout: Duration = Self.defaultConnectTimeout,
        commandTimeout: Duration = Self.defaultCommandTimeout
    ) throws {
        func invalid(_ reason: String) -> RedisError {
            // Never with the URL: it may hold a password.
            RedisError(
                .unavailable,
                "\(reason): expected redis://[:password@]host:port[/db] or redis+unix://[:password@]/path[?db=n]")
        }
        guard let parts = URLComponents(string: url) else { throw invalid("not a valid URL") }
        let databaseText: String?
        switch parts.scheme {
        case "redis":
            guard let host = parts.host, !host.isEmpty else { throw invalid("no host") }
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            let port = parts.port ?? 6379
            guard (1...65_535).contains(port) else { throw invalid("port outside 1 to 65535") }
            address = .tcp(host: bare, port: port)
            databaseText = parts.path.isEmpty || parts.path == "/" ? nil : String(parts.path.dropFirst())
        case "redis+unix":
            guard parts.host ?? "" == "", !parts.path.isEmpty else { throw invalid("no absolute socket path") }
            address = .unix(path: parts.path)
            databaseText = parts.queryItems?.first { $0.name == "db" }?.value
        case "rediss":
            throw RedisError(
                .unavailable,
                "rediss:// is not supported: hiredis 0.14 has no TLS; use redis:// through a TLS tunnel or in the pod")
        default:
            throw invalid("unknown scheme")
        }
        guard let database = databaseText.map({ Int($0) }) ?? 0, database >= 0 else {
            throw invalid("the database is no number")
        }
        self.url = url
        self.database = database
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension RedisConfiguration: CustomStringConvertible {
    /// Address and database.
    package var description: String {
        switch address {
        case .tcp(let host, let port): "\(host):\(port)/\(database)"
        case .unix(let path): "\(path)/\(database)"
        }
    }
}

extension RedisConfiguration: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
