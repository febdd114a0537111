import Core
import Testing

@Suite struct HexadecimalTests {
    @Test func everyByteIsTwoLowerCaseDigits() {
        var text: [UInt8] = []
        Array(UInt8.min...UInt8.max).withUnsafeBytes { Hexadecimal.append($0, to: &text) }
        var expected = ""
        for high in "0123456789abcdef" { for low in "0123456789abcdef" { expected += "\(high)\(low)" } }
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test func numbersHaveSixteenDigits() {
        #expect(Hexadecimal.text(0) == "0000000000000000")
        #expect(Hexadecimal.text(0x0123_4567_89ab_cdef) == "0123456789abcdef")
        #expect(Hexadecimal.text(.max) == "ffffffffffffffff")
    }

    @Test func digitsOfEitherCaseAreReadAndNothingElse() {
        for byte in UInt8.min...UInt8.max {
            #expect(Hexadecimal.value(ofDigit: byte).map { Int($0) } == Character(UnicodeScalar(byte)).hexDigitValue)
        }
    }
}
