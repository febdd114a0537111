internal import Glibc

/// A directory of the operating system.
package struct DiskDirectory: Directory {
    package let path: String

    /// Makes the directory, and those above it, where missing; each is durable when this returns.
    package init(_ path: String) throws(DiskError) {
        self.path = path
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            let parent = prefix.isEmpty ? "." : prefix
            prefix += prefix.isEmpty || prefix == "/" ? String(part) : "/" + part
            if unsafe mkdir(prefix, 0o700) == 0 {
                // Else a power failure could take the directory with everything that was synced in it.
                try Self.synchronize(parent)
            } else if Glibc.errno != EEXIST {
                throw .last("mkdir", prefix)
            }
        }
    }

    package func open(_ name: String, _ mode: FileMode) throws(DiskError) -> any File {
        try DiskFile(path(of: name), mode)
    }

    package func names() throws(DiskError) -> [String] {
        guard let handle = unsafe opendir(path) else { throw .last("opendir", path) }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func link(_ name: String, to other: String) throws(DiskError) {
        if unsafe Glibc.link(path(of: name), path(of: other)) != 0 { throw .last("link", path(of: name)) }
    }

    package func rename(_ name: String, to other: String) throws(DiskError) {
        if unsafe Glibc.rename(path(of: name), path(of: other)) != 0 { throw .last("rename", path(of: name)) }
    }

    package func remove(_ name: String) throws(DiskError) {
        if unsafe unlink(path(of: name)) != 0 { throw .last("unlink", path(of: name)) }
    }

    package func synchronize() throws(DiskError) { try Self.synchronize(path) }

    private static func synchronize(_ path: String) throws(DiskError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { _ = close(descriptor) }
        while fsync(descriptor) != 0 {
            if Glibc.errno != EINTR { throw .last("fsync", path) }
        }
    }
}
