import CPostgres

/// Where a database is and how long to wait for it.
package struct PostgresConfiguration: Sendable {
    package static let defaultConnectTimeout = Duration.seconds(5)
    package static let defaultStatementTimeout = Duration.seconds(30)
    /// How long a transaction may keep the server waiting for its next statement before the server ends it. A
    /// transaction whose process hangs holds its locks no longer.
    package static let maxIdleInTransaction = Duration.seconds(60)

    /// As given. It may hold a password: print the configuration instead.
    package let url: String
    /// At least two seconds: libpq's smallest.
    package var connectTimeout: Duration
    /// What the server lets a statement take; zero for no limit.
    package var statementTimeout: Duration
    package var applicationName: String
    private let keywords: [String: String]

    /// - Parameter url: A libpq URI or keyword string. TLS is its `sslmode` and so on.
    package init(
        url: String, connectTimeout: Duration = Self.defaultConnectTimeout,
        statementTimeout: Duration = Self.defaultStatementTimeout, applicationName: String = "tiketi"
    ) throws {
        self.url = url
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.applicationName = applicationName
        keywords = try Self.parse(url)
    }

    /// The same server and credentials, another database.
    package func database(_ name: String) -> PostgresConfiguration {
        var keywords = keywords
        keywords["dbname"] = name
        return PostgresConfiguration(copying: self, keywords: keywords)
    }

    private init(copying other: PostgresConfiguration, keywords: [String: String]) {
        url = keywords.sorted { $0.key < $1.key }.map { "\($0)=\(Self.quoted($1))" }.joined(separator: " ")
        connectTimeout = other.connectTimeout
        statementTimeout = other.statementTimeout
        applicationName = other.applicationName
        self.keywords = keywords
    }

    package var host: String? { keywords["host"] }
    package var databaseName: String? { keywords["dbname"] }

    /// What libpq is given: the caller's own keywords go before ours.
    var parameters: [(keyword: String, value: String)] {
        var all = [
            "connect_timeout": String(max(2, connectTimeout.components.seconds)),
            "application_name": applicationName,
            "client_encoding": "UTF8",
            // Where nothing is heard any more from the other machine.
            "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
        ]
        all.merge(keywords) { _, own in own }
        let ours = [
            "TimeZone=UTC",
            // Compiling a statement takes longer than any of ours runs.
            "jit=off",
            "statement_timeout=\(statementTimeout.wholeMilliseconds)",
            "idle_in_transaction_session_timeout=\(Self.maxIdleInTransaction.wholeMilliseconds)",
            // The server's side of it: a machine that is gone holds its locks for a minute, not for hours.
            "tcp_keepalives_idle=30", "tcp_keepalives_interval=10", "tcp_keepalives_count=3",
        ].map { "-c \($0)" }.joined(separator: " ")
        all["options"] = ours + (keywords["options"].map { " " + $0 } ?? "")
        return all.map { ($0, $1) }
    }

    private static func parse(_ url: String) throws -> [String: String] {
        // libpq's own message is not passed on: it may quote the part with the password.
        let invalid = PostgresError(
            .unavailable, "not a valid libpq URI or keyword string",
            hint: "as in postgresql://user@host:5432/database; other characters than letters and digits in a password "
                + "must be percent-encoded")
        var message: UnsafeMutablePointer<CChar>?
        defer { unsafe PQfreemem(message) }
        guard let options = unsafe PQconninfoParse(url, &message) else { throw invalid }
        defer { unsafe PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        // An array that ends with a null keyword.
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe keywords[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        // An '@' in a password that is not encoded ends up here with what follows it, and would be in every message.
        for keyword in ["host", "port", "dbname"] where keywords[keyword]?.contains("@") == true { throw invalid }
        return keywords
    }

    private static func quoted(_ value: String) -> String {
        var text = "'"
        for character in value {
            if character == "'" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "'"
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Host, port, database and user.
    package var description: String {
        ["host", "port", "dbname", "user", "sslmode"]
            .compactMap { keyword in keywords[keyword].map { "\(keyword)=\($0)" } }.joined(separator: " ")
    }
}

extension PostgresConfiguration: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
