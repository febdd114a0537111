import Glibc

/// Text that equals another only byte for byte, as it does in Postgres and Redis.
///
/// Two `String`s are equal, and hash alike, where Unicode takes them for the same characters: a Hangul syllable and the
/// letters it is composed of. Ids of artists and events come from users, and such two are two ids: every set and
/// dictionary of them is keyed by this.
package struct ExactText: Sendable {
    package let string: String

    package init(_ string: String) {
        self.string = string
    }
}

extension ExactText {
    /// A native string's bytes lie in one piece; another's are copied.
    private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        string.utf8.withContiguousStorageIfAvailable(body) ?? Array(string.utf8).withUnsafeBufferPointer(body)
    }

    package func equals(_ bytes: UnsafeRawBufferPointer) -> Bool {
        withBytes { own in
            own.count == bytes.count && (own.isEmpty || memcmp(own.baseAddress!, bytes.baseAddress!, own.count) == 0)
        }
    }
}

extension ExactText: Hashable {
    package static func == (left: ExactText, right: ExactText) -> Bool {
        // Bytes at once: the sequences' own comparison goes byte by byte, through iterators.
        left.withBytes { left in
            right.withBytes { right in
                left.count == right.count
                    && (left.count == 0 || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0)
            }
        }
    }

    package func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8: what is hashed next can't continue the text.
        hasher.combine(0xff as UInt8)
    }
}

extension ExactText: Comparable {
    /// By bytes: the order of Postgres's collation "C".
    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.withBytes { left in
            right.withBytes { right in
                let order =
                    left.isEmpty || right.isEmpty
                    ? 0 : memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }
}

extension ExactText: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}

extension ExactText: CustomStringConvertible {
    package var description: String { string }
}
