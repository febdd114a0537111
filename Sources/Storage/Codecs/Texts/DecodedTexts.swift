/// Texts end to end, and where each ends: the dictionary of a `TextColumn`.
struct DecodedTexts {
    var bytes: [UInt8]
    var ends: [UInt32]

    init(bytes: [UInt8], ends: [UInt32]) {
        self.bytes = bytes
        self.ends = ends
    }

    /// Texts of one length.
    init(bytes: [UInt8], count: Int, length: Int) {
        self.bytes = bytes
        ends = unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { unsafe buffer[index] = UInt32(truncatingIfNeeded: (index + 1) * length) }
            initialized = count
        }
    }
}
