/// A statement and its parameters. Values reach the server only as binds:
///
///     let sql: SQL = "SELECT name FROM artist_names WHERE artist_id = \(id)"
///
/// Text of the statement itself is spliced by `\(unescaped:)`, another statement with its binds by `\(sql:)`.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// What stands before, between and after the binds: one more than there are binds.
    private let fragments: [String]
    package let text: String
    package let binds: [PostgresBind]

    package init(stringLiteral value: String) {
        self.init(fragments: [value], binds: [])
    }

    package init(stringInterpolation: StringInterpolation) {
        self.init(fragments: stringInterpolation.fragments, binds: stringInterpolation.binds)
    }

    private init(fragments: [String], binds: [PostgresBind]) {
        self.fragments = fragments
        self.binds = binds
        var text = fragments[0]
        for (index, fragment) in fragments.dropFirst().enumerated() {
            text += "$\(index + 1)"
            text += fragment
        }
        self.text = text
    }

    package static func + (left: SQL, right: SQL) -> SQL {
        "\(sql: left)\(sql: right)"
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var fragments = [""]
        fileprivate var binds: [PostgresBind] = []

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            fragments[fragments.count - 1] += literal
        }

        package mutating func appendInterpolation(_ value: some PostgresEncodable) {
            binds.append(PostgresBind(value))
            fragments.append("")
        }

        /// NULL where there is no value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            binds.append(PostgresBind(value))
            fragments.append("")
        }

        package mutating func appendInterpolation(unescaped text: String) {
            appendLiteral(text)
        }

        /// Splices a statement or part of one; its binds are renumbered.
        package mutating func appendInterpolation(sql: SQL) {
            appendLiteral(sql.fragments[0])
            fragments += sql.fragments.dropFirst()
            binds += sql.binds
        }
    }
}

extension SQL {
    /// For a transaction that names raw batches: a plan for all values would open every partition there is, some 60 ms
    /// where there are 400, to read one.
    package static let planForValues: SQL = "SET LOCAL plan_cache_mode = force_custom_plan"
}
