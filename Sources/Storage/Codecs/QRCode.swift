import CQrencode

/// A QR code (ISO/IEC 18004) of some text.
package struct QRCode: Sendable {
    package struct TooLong: Error, Equatable {}

    /// At the error correction that is used here, version 40 holds no more.
    package static let maxBytes = 2331

    /// Modules along a side, without the quiet zone.
    package let side: Int
    /// Row by row; true is dark.
    package let modules: [Bool]

    /// With error correction M: about 15 % of it may be unreadable.
    package init(_ text: String) throws(TooLong) {
        let bytes = Array(text.utf8)
        guard (1...Self.maxBytes).contains(bytes.count) else { throw TooLong() }
        let code = unsafe bytes.withUnsafeBufferPointer { bytes in
            // Reads the bytes only; the smallest version that holds them. Whoever calls frees what it returns.
            unsafe QRcode_encodeData(CInt(bytes.count), bytes.baseAddress!, 0, QR_ECLEVEL_M)
        }
        guard let code = unsafe code else { throw TooLong() }
        defer { unsafe QRcode_free(code) }
        let side = unsafe Int(code.pointee.width)
        self.side = side
        // `data` has width² bytes, whose lowest bit says whether the module is dark.
        modules = (0..<side * side).map { unsafe code.pointee.data[$0] & 1 == 1 }
    }

    /// A picture of it with the quiet zone of four modules that scanners need.
    package var svg: String {
        let quiet = 4
        let size = side + 2 * quiet
        var path = ""
        for row in 0..<side {
            var column = 0
            while column < side {
                guard modules[row * side + column] else {
                    column += 1
                    continue
                }
                let start = column
                while column < side, modules[row * side + column] { column += 1 }
                path += "M\(start + quiet) \(row + quiet)h\(column - start)v1h-\(column - start)z"
            }
        }
        return #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(size) \#(size)" shape-rendering="crispEdges">"#
            + #"<path fill="white" d="M0 0h\#(size)v\#(size)h-\#(size)z"/><path d="\#(path)"/></svg>"#
    }
}
