import Storage

/// A run of message ids with a right checksum and anything at all in it: refused by name, or ids that make a run again.
enum FuzzRun {
    static func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let ids = try? HashSetRun.decode(FuzzBlock.sealed(bytes)) else { return }
        let again = try HashSetRun.decode(HashSetRun.encode(sorted: ids))
        precondition(again == ids)
    }
}
