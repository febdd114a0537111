import NIOCore
import Platform
import Storage

/// Inflates and decodes a body: on the event loop or off it, alike.
enum TrackBody {
    static func isGzip(_ body: ByteBuffer, declared: TrackRequest.Encoding) -> Bool {
        declared == .gzip || body.withUnsafeReadableBytes { Gzip.isGzip($0) }
    }

    static func decode(
        _ body: ByteBuffer, isGzip: Bool, maxInflatedBytes: Int, _ receipt: Receipt, _ decoder: inout TrackDecoder
    ) throws(Problem) -> TrackOutcome {
        var result: Result<TrackOutcome, Problem>?
        body.withUnsafeReadableBytes { bytes in
            result = Result { () throws(Problem) in
                guard isGzip else { return try decode(bytes, receipt, &decoder) }
                return try decode(try inflate(bytes, maxBytes: maxInflatedBytes), receipt, &decoder)
            }
        }
        return try result!.get()
    }

    static func decode(
        _ body: [UInt8], _ receipt: Receipt, _ decoder: inout TrackDecoder
    ) throws(Problem) -> TrackOutcome {
        var result: Result<TrackOutcome, Problem>?
        body.withUnsafeBytes { bytes in
            result = Result { () throws(Problem) in try decode(bytes, receipt, &decoder) }
        }
        return try result!.get()
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, _ receipt: Receipt, _ decoder: inout TrackDecoder
    ) throws(Problem) -> TrackOutcome {
        do throws(TrackRefusal) {
            return try decoder.decode(bytes, receipt)
        } catch {
            throw .track(error)
        }
    }

    private static func inflate(_ bytes: UnsafeRawBufferPointer, maxBytes: Int) throws(Problem) -> [UInt8] {
        do throws(GzipError) {
            return try Gzip.inflate(bytes, maxBytes: maxBytes)
        } catch {
            switch error {
            case .malformed: throw .notGzip
            case .tooLarge: throw .inflatedTooLarge(maxBytes)
            }
        }
    }
}
