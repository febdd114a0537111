package enum FileMode: Sendable {
    case read
    case readWrite
    /// Fails where the file exists.
    case create
}

/// An open file. Positional reads and writes only, so threads may share it.
///
/// `DiskFile` is the operating system's. Tests put a disk in its place that loses power.
package protocol File: AnyObject, Sendable {
    var path: String { get }

    func size() throws(DiskError) -> Int

    /// Reserves blocks for the whole length, so that later writes within it can't run out of space.
    func allocate(_ bytes: Int) throws(DiskError)

    /// Cuts off everything behind `bytes`, and gives its blocks back.
    func truncate(to bytes: Int) throws(DiskError)

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError)

    /// Reads up to the buffer's length; fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int

    /// Returns once the file's bytes (not its times) are on the medium.
    ///
    /// After an error nothing is known about what reached it, and trying again may report success for lost bytes:
    /// stop using the file.
    func synchronizeData() throws(DiskError)

    func synchronize() throws(DiskError)

    /// Takes the advisory lock that one process at a time can hold; false where another has it.
    func tryLock() -> Bool
}

extension File {
    package func read(_ count: Int, at offset: Int) throws(DiskError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: DiskError?
        let read = unsafe bytes.withUnsafeMutableBytes { buffer -> Int in
            do throws(DiskError) {
                return try unsafe self.read(into: buffer, at: offset)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        bytes.removeLast(count - read)
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: Int) throws(DiskError) {
        var failure: DiskError?
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(DiskError) { try unsafe self.write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
