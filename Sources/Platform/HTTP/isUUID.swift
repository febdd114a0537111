/// Whether a text is a UUID as our services write their ids: lower-case, with hyphens.
package func isUUID(_ text: String) -> Bool {
    text.utf8.count == 36
        && text.utf8.enumerated().allSatisfy { index, byte in
            switch index {
            case 8, 13, 18, 23: byte == UInt8(ascii: "-")
            default: (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
        }
}
