import Glibc

/// What a text counts as where traffic is broken down by it.
package enum BreakdownValue {
    /// A longer text counts as its beginning: values are in the keys of an index, which has room for 2,704 bytes, and what
    /// is so long differs at its end, mostly in a query that nobody asked for.
    package static let maxBytes = 1024

    /// Whether a text, in UTF-8, counts as itself.
    package static func isKept(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress else { return true }
        return text.count <= maxBytes && memchr(start, 0, text.count) == nil
    }

    /// Its longest beginning of whole code points; NUL, which Postgres can't store, as U+FFFD.
    package static func of(_ text: String) -> String {
        var text = text
        if text.withUTF8({ isKept(UnsafeRawBufferPointer($0)) }) { return text }
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            let scalar = scalar == "\0" ? "\u{fffd}" : scalar
            bytes += UTF8.width(scalar)
            if bytes > maxBytes { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
