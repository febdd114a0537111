internal import CZlib

/// Makes gzip piece by piece in bounded memory: all that was added can be read, whatever comes after it.
@safe package final class GzipPieces {
    private static let chunkBytes = 64 * 1024

    // zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    package init(level: Int = 4) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 16 asks for gzip, 15 for the largest window. Fails only where memory does.
        let status = unsafe deflateInit2_(
            stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "deflateInit2: \(status)")
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// What is to be sent for these bytes, at once.
    ///
    /// - Precondition: less than 4 GiB.
    package func add(_ bytes: [UInt8]) -> [UInt8] { run(bytes, Z_SYNC_FLUSH) }

    /// What is to be sent last. Nothing may be added after it.
    package func finish() -> [UInt8] { run([], Z_FINISH) }

    private func run(_ bytes: [UInt8], _ flush: Int32) -> [UInt8] {
        var input = bytes
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe stream.pointee.next_in = input.baseAddress
            unsafe stream.pointee.avail_in = UInt32(input.count)
            var isFull = true
            while isFull {
                let produced = unsafe chunk.withUnsafeMutableBufferPointer { chunk in
                    unsafe stream.pointee.next_out = chunk.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(chunk.count)
                    unsafe _ = deflate(stream, flush)
                    return unsafe chunk.count - Int(stream.pointee.avail_out)
                }
                output += chunk[..<produced]
                isFull = produced == chunk.count
            }
        }
        return output
    }
}
