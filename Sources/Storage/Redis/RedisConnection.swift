import CHiredis
import Glibc

/// One blocking connection: hiredis connects and parses replies. Use it on one thread.
@safe package final class RedisConnection: ThreadConfinedConnection {
    /// Commands sent before their replies are read.
    package static let maxPipelined = 1024

    package static let serverName = "redis"

    package let interrupt: Interrupt
    // hiredis: a context may be used by one thread at a time, and is freed by redisFree.
    private let context: UnsafeMutablePointer<redisContext>
    private let commandTimeout: Duration
    private var digests: [RedisScript: String] = [:]
    private var isLost = false

    package init(_ configuration: RedisConfiguration) throws {
        do { interrupt = try Interrupt() } catch {
            throw RedisError(.unavailable, "no file descriptor left for a connection")
        }
        commandTimeout = configuration.commandTimeout
        let (seconds, attoseconds) = configuration.connectTimeout.components
        let timeout = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        let opened =
            switch configuration.address {
            case .tcp(let host, let port): unsafe redisConnectWithTimeout(host, CInt(port), timeout)
            case .unix(let path): unsafe redisConnectUnixWithTimeout(path, timeout)
            }
        guard let opened = unsafe opened else { throw RedisError(.unavailable, "out of memory") }
        unsafe context = unsafe opened
        // `deinit` frees the context.
        guard unsafe opened.pointee.err == 0 else {
            throw RedisError(.unavailable, "\(configuration): \(unsafe Self.message(opened))")
        }
        if case .tcp = configuration.address { _ = unsafe redisEnableKeepAlive(opened) }
        do {
            if let password = configuration.password {
                let user = configuration.user.map { [RedisArgument($0)] } ?? []
                _ = try command(["AUTH"] + user + [RedisArgument(password)])
            }
            if configuration.database != 0 { _ = try command(["SELECT", RedisArgument(configuration.database)]) }
            // Refused while the server loads its data.
            _ = try command(["PING"])
        } catch let error as RedisError {
            throw RedisError(.unavailable, "\(configuration): \(error.message)", command: error.command)
        }
    }

    deinit { unsafe redisFree(context) }

    package static func error(for refusal: Refusal) -> any Error {
        switch refusal {
        case .overloaded(let maxWaiting):
            RedisError(.overloaded, "\(maxWaiting) pieces of work wait for a connection already")
        case .backingOff(let lastError):
            RedisError(.unavailable, "waiting to connect again after: \(lastError)")
        case .canceled:
            RedisError(.canceled, "cancelled before it began")
        case .shutDown:
            RedisError(.unavailable, "shut down")
        }
    }

    /// False where the connection is lost or the server has closed it.
    package var isHealthy: Bool {
        // To an idle connection the server says nothing: what can be read is its end.
        isIdle && !Interrupt.isReadable(socket)
    }

    package var isIdle: Bool { !isLost }

    /// Sends one command and waits for its reply; an error reply is thrown.
    ///
    /// `XREAD` and `XREADGROUP` with `BLOCK` may take that much longer than the command timeout.
    package func command(_ arguments: [RedisArgument]) throws -> RedisReply {
        let reply = try exchange([arguments][...])[0]
        if case .error(let text) = reply { throw RedisError(reply: text, command: Self.name(arguments)) }
        return reply
    }

    /// Sends commands at once, `maxPipelined` at a time, and returns their replies in order, errors among them.
    ///
    /// Where the connection is lost midway, any number of them may have taken effect.
    package func pipeline(_ commands: [[RedisArgument]]) throws -> [RedisReply] {
        var replies: [RedisReply] = []
        replies.reserveCapacity(commands.count)
        for start in stride(from: 0, to: commands.count, by: Self.maxPipelined) {
            replies += try exchange(commands[start..<min(start + Self.maxPipelined, commands.count)])
        }
        return replies
    }

    /// Runs scripts in order, pipelined; returns their replies, errors among them.
    package func pipeline(scripts calls: [RedisScript.Call]) throws -> [RedisReply] {
        // Loaded again in the same pipeline: were one to run in a second pass, it would not be in order any more.
        let scripts = Set(calls.map(\.script))
        let digests = try Dictionary(uniqueKeysWithValues: scripts.map { ($0, try digest(of: $0)) })
        let loads: [[RedisArgument]] = scripts.map { ["SCRIPT", "LOAD", RedisArgument($0.source)] }
        let commands = calls.map { $0.command(digest: digests[$0.script]!) }
        var replies = Array(try pipeline(loads + commands).dropFirst(loads.count))
        // Only where somebody flushes the scripts at this very moment.
        for (index, reply) in replies.enumerated() {
            guard case .error(let text) = reply, text.hasPrefix("NOSCRIPT") else { continue }
            replies[index] = try pipeline([calls[index].commandInFull])[0]
        }
        return replies
    }

    private func digest(of script: RedisScript) throws -> String {
        if let digest = digests[script] { return digest }
        guard let digest = try command(["SCRIPT", "LOAD", RedisArgument(script.source)]).string else {
            throw RedisError(.decoding, "no digest", command: "SCRIPT LOAD")
        }
        digests[script] = digest
        return digest
    }

    private static func name(_ arguments: [RedisArgument]) -> String {
        arguments.first.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
    }

    // MARK: The wire

    private var socket: CInt { unsafe context.pointee.fd }

    private func exchange(_ commands: ArraySlice<[RedisArgument]>) throws -> [RedisReply] {
        if isLost { throw RedisError(.unavailable, "the connection is lost") }
        if interrupt.isSignaled { throw RedisError(.canceled, "cancelled") }
        // Whatever goes wrong on the way, replies would be left over.
        var isUsable = false
        defer { if !isUsable { isLost = true } }
        var request: [UInt8] = []
        for command in commands { Self.append(command, to: &request) }
        try send(request)
        var replies: [RedisReply] = []
        replies.reserveCapacity(commands.count)
        for command in commands {
            let timeout = Self.blocking(command).map { $0 == .zero ? nil : commandTimeout + $0 } ?? commandTimeout
            replies.append(try receive(timeout, Self.name(command)))
        }
        // Where this server can't at the moment, another may, by the same name.
        isUsable = !replies.contains { reply in
            if case .error(let text) = reply { RedisError(reply: text).kind == .unavailable } else { false }
        }
        return replies
    }

    /// How long the command asks to block, zero for ever; nil for those that don't.
    private static func blocking(_ command: [RedisArgument]) -> Duration? {
        guard ["XREAD", "XREADGROUP"].contains(name(command).uppercased()),
            let block = command.firstIndex(where: { String(decoding: $0.bytes, as: UTF8.self).uppercased() == "BLOCK" }
            ),
            block + 1 < command.count,
            let milliseconds = Int64(String(decoding: command[block + 1].bytes, as: UTF8.self))
        else { return nil }
        return .milliseconds(milliseconds)
    }

    /// As `redisAppendCommandArgv` would.
    private static func append(_ command: [RedisArgument], to request: inout [UInt8]) {
        request.append(contentsOf: "*\(command.count)\r\n".utf8)
        for argument in command {
            request.append(contentsOf: "$\(argument.bytes.count)\r\n".utf8)
            request.append(contentsOf: argument.bytes)
            request.append(contentsOf: "\r\n".utf8)
        }
    }

    /// Not `redisBufferWrite`: that raises SIGPIPE where the server is gone, and knows nothing of the interrupt.
    private func send(_ request: [UInt8]) throws {
        var sent = 0
        while sent < request.count {
            let count = unsafe request.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    socket, bytes.baseAddress! + sent, bytes.count - sent,
                    CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(POLLIN | POLLOUT, commandTimeout, nil)
                // The server may have to get rid of replies before it reads on.
                if Interrupt.isReadable(socket) { try readBuffer(nil) }
            } else if errno != EINTR {
                throw RedisError(.unavailable, "the server closed the connection")
            }
        }
    }

    private func receive(_ timeout: Duration?, _ name: String) throws -> RedisReply {
        while true {
            var reply: UnsafeMutableRawPointer?
            guard unsafe redisGetReplyFromReader(context, &reply) == REDIS_OK else { throw lost(name) }
            if let reply = unsafe reply {
                defer { unsafe freeReplyObject(reply) }
                return unsafe RedisReply(copying: reply.assumingMemoryBound(to: redisReply.self))
            }
            try wait(POLLIN, timeout, name)
            try readBuffer(name)
        }
    }

    private func readBuffer(_ name: String?) throws {
        guard unsafe redisBufferRead(context) == REDIS_OK else { throw lost(name) }
    }

    private func wait(_ events: CInt, _ timeout: Duration?, _ name: String?) throws {
        switch interrupt.wait(for: socket, events: events, until: timeout.map { .now + $0 }) {
        case .ready: return
        case .interrupted: throw RedisError(.canceled, "cancelled", command: name)
        case .timedOut: throw RedisError(.unavailable, "no answer within \(timeout ?? .zero)", command: name)
        }
    }

    private func lost(_ name: String?) -> RedisError {
        RedisError(.unavailable, unsafe Self.message(context), command: name)
    }

    private static func message(_ context: UnsafeMutablePointer<redisContext>) -> String {
        unsafe withUnsafeBytes(of: context.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
