/// A text of any length, made piece by piece as fast as it is read.
package protocol Pieces: Sendable {
    /// Nil after the last. Between two calls nothing is held but memory: no connection waits for a slow reader.
    mutating func next() async throws -> [UInt8]?
}
