/// A batch as bytes.
package struct EncodedBlock: Sendable, Equatable {
    package var bytes: [UInt8]
    /// CRC-32C of everything but the last four bytes, which are this.
    package var crc: UInt32
}
