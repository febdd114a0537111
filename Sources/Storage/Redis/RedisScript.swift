/// A Lua script. Connections send it in full once and by its digest from then on.
package struct RedisScript: Sendable, Hashable {
    package let source: String

    package init(_ source: String) {
        self.source = source
    }

    package func call(keys: [RedisArgument], arguments: [RedisArgument]) -> Call {
        Call(script: self, keys: keys, arguments: arguments)
    }

    package struct Call: Sendable {
        package let script: RedisScript
        package let keys: [RedisArgument]
        package let arguments: [RedisArgument]

        package init(script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument]) {
            self.script = script
            self.keys = keys
            self.arguments = arguments
        }

        func command(digest: String) -> [RedisArgument] {
            ["EVALSHA", RedisArgument(digest), RedisArgument(keys.count)] + keys + arguments
        }

        var commandInFull: [RedisArgument] {
            ["EVAL", RedisArgument(script.source), RedisArgument(keys.count)] + keys + arguments
        }
    }
}
