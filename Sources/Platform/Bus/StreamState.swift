import Core
import Storage

/// How far the groups of the message stream are, and which life of the stream that is said of.
struct StreamState: Sendable {
    /// Another one means that entries may be lost: the server started anew, or all its keys are gone.
    var life: String
    /// Up to which entry each group has confirmed all.
    var confirmed: [String: EntryID]

    /// The stream's key and the one of its life lie in one slot of a cluster.
    private static let lifeKey = "{\(Message.stream)}:life"

    // XINFO's and XPENDING's answers are names and values in turn; a first entry that is pending bounds what is confirmed.
    private static let script = RedisScript(
        """
        local life = redis.call('GET', KEYS[2])
        if not life then
            life = ARGV[1]
            redis.call('SET', KEYS[2], life)
        end
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
        local answer = { life .. ':' .. run }
        for i = 2, #ARGV do
            -- Says an error where the group is there.
            redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[i], '0', 'MKSTREAM')
        end
        if redis.call('EXISTS', KEYS[1]) == 1 then
            for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
                local named = {}
                for i = 1, #group, 2 do named[group[i]] = group[i + 1] end
                local pending = redis.call('XPENDING', KEYS[1], named['name'])
                table.insert(answer, named['name'])
                table.insert(answer, named['last-delivered-id'])
                table.insert(answer, pending[2] or '')
            end
        end
        return answer
        """)

    /// - Parameter groups: made where they are missing, before anything is published that they would miss: what all groups
    ///   that exist have confirmed is removed from the stream after a while.
    static func read(groups: [MessageGroup] = [], on connection: RedisConnection) throws -> StreamState {
        let call = script.call(
            keys: [.init(Message.stream), .init(lifeKey)],
            arguments: [.init("\(UInt64.random(in: 0 ... .max))")] + groups.map { .init($0.rawValue) })
        let reply = try connection.pipeline(scripts: [call])[0]
        if case .error(let message) = reply { throw RedisError(reply: message) }
        guard let parts = reply.array?.map({ $0.string ?? "" }), parts.count % 3 == 1 else {
            throw RedisError(.unavailable, "an answer of another shape", command: "EVALSHA")
        }
        var state = StreamState(life: parts[0], confirmed: [:])
        for index in stride(from: 1, to: parts.count, by: 3) {
            guard let delivered = EntryID(parts[index + 1]) else { continue }
            // All before the first that is pending.
            let pending = EntryID(parts[index + 2]).map {
                $0.sequence > 0
                    ? EntryID(milliseconds: $0.milliseconds, sequence: $0.sequence - 1)
                    : EntryID(milliseconds: $0.milliseconds - 1, sequence: .max)
            }
            state.confirmed[parts[index]] = min(delivered, pending ?? delivered)
        }
        return state
    }

    /// Up to which entry all of these have confirmed; nil where one has never read.
    func confirmed(by groups: some Sequence<MessageGroup>) -> EntryID? {
        var all: EntryID?
        for group in groups {
            guard let own = confirmed[group.rawValue] else { return nil }
            all = min(all ?? own, own)
        }
        return all
    }
}
