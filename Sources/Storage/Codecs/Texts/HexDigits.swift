/// Lower-case hex, eight digits a step in one 64-bit word.
enum HexDigits {
    /// The eight digits of `value` as bytes, the first in the lowest.
    @inline(__always)
    static func digits(_ value: UInt32) -> UInt64 {
        var x = UInt64(value)
        x = (x &<< 16 | x) & 0x0000_ffff_0000_ffff
        x = (x &<< 8 | x) & 0x00ff_00ff_00ff_00ff
        x = (x &<< 4 | x) & 0x0f0f_0f0f_0f0f_0f0f
        // A nibble of ten or more has bit 4 set once six is added; its digit lies 0x27 higher.
        let letters = (x &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
        return (x &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).byteSwapped
    }

    /// The value of eight digits, or nil where `digits` are not all of `0-9a-f`.
    @inline(__always)
    static func value(_ digits: UInt64) -> UInt32? {
        let letters = digits &>> 6 & 0x0101_0101_0101_0101
        var x = ((digits & 0x0f0f_0f0f_0f0f_0f0f) &+ letters &* 9).byteSwapped
        x = (x | x &>> 4) & 0x00ff_00ff_00ff_00ff
        x = (x | x &>> 8) & 0x0000_ffff_0000_ffff
        let value = UInt32(truncatingIfNeeded: x | x &>> 16)
        return Self.digits(value) == digits ? value : nil
    }

    @inline(__always)
    static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
