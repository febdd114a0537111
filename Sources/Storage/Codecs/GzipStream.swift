internal import CZlib

/// Undoes gzip piece by piece in bounded memory, members end to end included.
///
///     var stream = GzipStream()
///     stream.feed(input)
///     while let output = try stream.next() { … }
@safe package struct GzipStream: ~Copyable {
    package enum Failure: Error, Equatable {
        /// Not gzip, or damaged: a checksum or a code is wrong.
        case malformed
    }

    /// What one call of `next()` yields at most.
    package static let maxOutputBytes = 256 * 1024

    // zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var position = 0
    private var isInMember = false

    package init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 16 asks for gzip and nothing else, 15 for any window. Fails only where memory does.
        let result = unsafe tiketi_inflateInit2(stream, 15 + 16)
        precondition(result == Z_OK, "inflateInit2: \(result)")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Whether all that was fed is whole members: false at the end of the input means that it was cut off.
    package var isComplete: Bool { !isInMember && position == input.count }

    /// - Precondition: `next()` has returned nil since the last time.
    package mutating func feed(_ bytes: [UInt8]) {
        precondition(position == input.count)
        input = bytes
        position = 0
    }

    /// The next piece, never empty; nil once more has to be fed.
    package mutating func next() throws(Failure) -> [UInt8]? {
        while position < input.count {
            // Between members, zeros are padding (tape blocks).
            if !isInMember && input[position] == 0 {
                position += 1
                continue
            }
            isInMember = true
            let output = try step()
            if !output.isEmpty { return output }
        }
        // What zlib took in may still yield more than one piece.
        guard isInMember else { return nil }
        let output = try step()
        return output.isEmpty ? nil : output
    }

    private mutating func step() throws(Failure) -> [UInt8] {
        var result = Z_OK
        let from = position
        var left = 0
        let output = unsafe [UInt8](unsafeUninitializedCapacity: Self.maxOutputBytes) { output, count in
            unsafe input.withUnsafeMutableBufferPointer { input in
                unsafe stream.pointee.next_in = input.baseAddress.map { unsafe $0 + from }
                unsafe stream.pointee.avail_in = UInt32(input.count - from)
                unsafe stream.pointee.next_out = output.baseAddress
                unsafe stream.pointee.avail_out = UInt32(output.count)
                result = unsafe inflate(stream, Z_NO_FLUSH)
                left = Int(unsafe stream.pointee.avail_in)
                count = unsafe output.count - Int(stream.pointee.avail_out)
            }
        }
        position = input.count - left
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END:
            isInMember = false
            unsafe inflateReset(stream)
        default: throw .malformed
        }
        return output
    }
}
