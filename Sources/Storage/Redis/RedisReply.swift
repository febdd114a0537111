import CHiredis

package enum RedisReply: Sendable, Equatable {
    case null
    case string([UInt8])
    case status(String)
    case integer(Int64)
    case array([RedisReply])
    case error(String)
}

extension RedisReply {
    /// The text of a string or status.
    package var string: String? {
        switch self {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    package var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// An integer, also one that is stored as a string.
    package var int: Int64? {
        switch self {
        case .integer(let value): value
        case .string, .status: string.flatMap { Int64($0) }
        default: nil
        }
    }

    package var array: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var isNull: Bool { self == .null }

    /// Copies a reply of hiredis, which remains the caller's.
    init(copying reply: UnsafePointer<redisReply>) {
        func bytes() -> UnsafeRawBufferPointer {
            unsafe UnsafeRawBufferPointer(start: reply.pointee.str, count: reply.pointee.len)
        }
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STRING: self = unsafe .string(Array(bytes()))
        case REDIS_REPLY_STATUS: self = unsafe .status(String(decoding: bytes(), as: UTF8.self))
        case REDIS_REPLY_ERROR: self = unsafe .error(String(decoding: bytes(), as: UTF8.self))
        case REDIS_REPLY_INTEGER: self = unsafe .integer(reply.pointee.integer)
        case REDIS_REPLY_ARRAY:
            self = unsafe .array(
                (0..<reply.pointee.elements).map { index in
                    unsafe RedisReply(copying: reply.pointee.element[index]!)
                })
        default: self = .null
        }
    }
}
