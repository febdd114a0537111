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

extension ExactText: Hashable {
    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        let isContiguous: Void? = string.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isContiguous == nil { for byte in string.utf8 { hasher.combine(byte) } }
        // No byte of UTF-8: what is hashed next can't continue the text.
        hasher.combine(0xff as UInt8)
    }
}

extension ExactText: Comparable {
    /// By bytes: the order of Postgres's collation "C".
    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
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
