import Core
import Storage

/// One preallocated file of the spool: a header, frames end to end, zeros (docs/formats.md, "Spool segment").
struct SpoolSegment: Sendable {
    static let headerBytes = 32
    static let frameHeaderBytes = 16
    static let magic: UInt32 = 0x5053_4B54  // "TKSP"
    static let version: UInt32 = 1
    static let suffix = ".seg"

    let name: String
    /// The life of the spool directory in which it was written (see `SpoolLog`).
    let identity: UInt64
    let firstSeq: UInt64
    let file: any File

    /// The name says what the header says, so that a damaged header takes neither with it.
    static func name(identity: UInt64, firstSeq: UInt64) -> String {
        padded(Int(firstSeq), 20) + "-" + Hexadecimal.text(identity) + suffix
    }

    /// What a file's name says; nil where it is no segment's.
    static func parse(name: String) -> (firstSeq: UInt64, identity: UInt64)? {
        guard name.hasSuffix(suffix) else { return nil }
        let parts = name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let firstSeq = UInt64(parts[0]), let identity = UInt64(parts[1], radix: 16)
        else { return nil }
        return (firstSeq, identity)
    }

    static func header(identity: UInt64, firstSeq: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: identity)
        bytes.append(littleEndian: firstSeq)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: bytes.withUnsafeBytes { CRC32C.checksum($0) })
        return bytes
    }

    /// Makes the file with all its blocks and its header, durable together with its directory entry.
    static func create(in directory: any Directory, identity: UInt64, firstSeq: UInt64, bytes: Int) throws(DiskError)
        -> SpoolSegment
    {
        let name = name(identity: identity, firstSeq: firstSeq)
        // What an earlier attempt left behind.
        try? directory.remove(name)
        let file = try directory.open(name, .create)
        CrashPoint.segmentMade.reached()
        do throws(DiskError) {
            try file.allocate(bytes)
            try file.write(header(identity: identity, firstSeq: firstSeq), at: 0)
            try file.synchronize()
            CrashPoint.segmentSynced.reached()
            try directory.synchronize()
        } catch {
            // Nothing in it was acknowledged. Left behind, it would be taken for a damaged segment.
            try? directory.remove(name)
            throw error
        }
        return SpoolSegment(name: name, identity: identity, firstSeq: firstSeq, file: file)
    }

    /// Nil where the header is not one of ours, whole and undamaged.
    static func open(_ name: String, in directory: any Directory) throws(DiskError) -> SpoolSegment? {
        let file = try directory.open(name, .readWrite)
        let bytes = try file.read(headerBytes, at: 0)
        guard bytes.count == headerBytes, let named = parse(name: name) else { return nil }
        return bytes.withUnsafeBytes { bytes -> SpoolSegment? in
            let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<28]))
            guard bytes.integer(at: 0, as: UInt32.self) == magic, bytes.integer(at: 4, as: UInt32.self) == version,
                bytes.integer(at: 28, as: UInt32.self) == checksum
            else { return nil }
            let identity = bytes.integer(at: 8, as: UInt64.self)
            let firstSeq = bytes.integer(at: 16, as: UInt64.self)
            guard firstSeq == named.firstSeq, identity == named.identity else { return nil }
            return SpoolSegment(name: name, identity: identity, firstSeq: firstSeq, file: file)
        }
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
