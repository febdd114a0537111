import CZlib

/// gzip (RFC 1952) in memory.
package enum Gzip {
    /// Output is made this many bytes at a time: a bomb is found out at most this far past its limit.
    static let chunkBytes = 64 * 1024

    /// Whether the bytes begin as gzip does.
    package static func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b
    }

    /// The inflated bytes of all members.
    package static func inflate(_ bytes: UnsafeRawBufferPointer, maxBytes: Int) throws(GzipError) -> [UInt8] {
        guard bytes.count <= Int(UInt32.max), let source = bytes.baseAddress else { throw .malformed }
        var stream = unsafe z_stream()
        // 15: any window; 16 more: gzip headers only.
        guard unsafe tiketi_inflateInit2(&stream, 15 + 16) == Z_OK else { throw .malformed }
        defer { unsafe _ = inflateEnd(&stream) }
        // zlib only reads through next_in; the pointer type is historical.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: source.assumingMemoryBound(to: Bytef.self))
        unsafe stream.avail_in = UInt32(bytes.count)

        var output: [UInt8] = []
        output.reserveCapacity(min(maxBytes, bytes.count * 4))
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let (status, produced) = unsafe chunk.withUnsafeMutableBufferPointer { buffer in
                // Writes at most avail_out bytes.
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(buffer.count)
                let status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                return unsafe (status, buffer.count - Int(stream.avail_out))
            }
            guard output.count + produced <= maxBytes else { throw .tooLarge(limit: maxBytes) }
            if output.capacity < output.count + produced {
                // Not past the limit, as doubling by itself might.
                output.reserveCapacity(min(maxBytes, max(output.count * 2, chunkBytes)))
            }
            output.append(contentsOf: chunk[..<produced])
            switch status {
            case Z_OK:
                // No input left and no end of stream: cut short.
                if unsafe stream.avail_in == 0 && stream.avail_out > 0 { throw .malformed }
            case Z_STREAM_END:
                if unsafe stream.avail_in == 0 { return output }
                guard unsafe inflateReset(&stream) == Z_OK else { throw .malformed }
            default:
                throw .malformed
            }
        }
    }

    /// One member, without name or time: equal bytes give equal gzip.
    ///
    /// - Precondition: less than 4 GiB.
    package static func deflate(_ bytes: UnsafeRawBufferPointer, level: Int = 6) -> [UInt8] {
        precondition(bytes.count < Int(UInt32.max) && (1...9).contains(level))
        var stream = unsafe z_stream()
        let status = unsafe deflateInit2_(
            &stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "deflateInit2: \(status)")
        defer { unsafe _ = deflateEnd(&stream) }
        let capacity = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
        return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            // zlib only reads through next_in; with room for deflateBound bytes one call finishes.
            unsafe stream.next_in = bytes.baseAddress.map {
                unsafe UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: Bytef.self))
            }
            unsafe stream.avail_in = UInt32(bytes.count)
            unsafe stream.next_out = buffer.baseAddress
            unsafe stream.avail_out = UInt32(capacity)
            let status = unsafe CZlib.deflate(&stream, Z_FINISH)
            precondition(status == Z_STREAM_END, "deflate: \(status)")
            count = unsafe capacity - Int(stream.avail_out)
        }
    }
}
