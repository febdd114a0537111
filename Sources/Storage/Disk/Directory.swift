/// A directory's files, made, listed, linked, renamed and removed: durable once `synchronize()` returns.
///
/// `DiskDirectory` is the operating system's. Tests put a disk in its place that loses power.
package protocol Directory: Sendable {
    var path: String { get }

    func open(_ name: String, _ mode: FileMode) throws(DiskError) -> any File

    /// File names in ascending order.
    func names() throws(DiskError) -> [String]

    /// Gives a file a second name, which no file may have.
    func link(_ name: String, to other: String) throws(DiskError)

    /// Takes the place of a file of the other name.
    func rename(_ name: String, to other: String) throws(DiskError)

    func remove(_ name: String) throws(DiskError)

    /// Returns once entries made, linked, renamed and removed before are on the medium.
    func synchronize() throws(DiskError)
}

extension Directory {
    package func path(of name: String) -> String { path + "/" + name }
}
