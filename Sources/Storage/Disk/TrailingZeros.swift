internal import Glibc

extension UnsafeRawBufferPointer {
    private static let zeroBlock = [UInt8](repeating: 0, count: 4096)

    /// Where the zeros begin that reach to the end: the number of bytes without them.
    ///
    /// For preallocated files, of which most is zeros: compares whole blocks, at the speed of memory in any build.
    package var countWithoutTrailingZeros: Int {
        var end = count
        let block = unsafe Self.zeroBlock.count
        unsafe Self.zeroBlock.withUnsafeBytes { zeros in
            while end >= block, unsafe memcmp(baseAddress! + end - block, zeros.baseAddress!, block) == 0 {
                end -= block
            }
        }
        while end > 0, unsafe self[end - 1] == 0 { end -= 1 }
        return end
    }
}
