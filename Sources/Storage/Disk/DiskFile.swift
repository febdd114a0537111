internal import Glibc

/// A file of the operating system, closed when its last owner lets go.
package final class DiskFile: File {
    package let path: String
    private let descriptor: Int32

    package init(_ path: String, _ mode: FileMode) throws(DiskError) {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        if descriptor < 0 { throw .last("open", path) }
    }

    deinit { _ = close(descriptor) }

    package func size() throws(DiskError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last("fstat", path) }
        return Int(status.st_size)
    }

    package func allocate(_ bytes: Int) throws(DiskError) {
        var result = EINTR
        while result == EINTR { result = posix_fallocate(descriptor, 0, off_t(bytes)) }
        if result != 0 { throw DiskError(call: "posix_fallocate", path: path, errno: result) }
    }

    package func truncate(to bytes: Int) throws(DiskError) {
        while ftruncate(descriptor, off_t(bytes)) != 0 {
            if Glibc.errno != EINTR { throw .last("ftruncate", path) }
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        var written = 0
        while written < bytes.count {
            let result = unsafe pwrite(
                descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
            if result < 0 {
                if Glibc.errno == EINTR { continue }
                throw .last("pwrite", path)
            }
            written += result
        }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        var count = 0
        while count < buffer.count {
            let result = unsafe pread(
                descriptor, buffer.baseAddress! + count, buffer.count - count, off_t(offset + count))
            if result < 0 {
                if Glibc.errno == EINTR { continue }
                throw .last("pread", path)
            }
            if result == 0 { break }
            count += result
        }
        return count
    }

    package func synchronizeData() throws(DiskError) {
        while fdatasync(descriptor) != 0 {
            // Interrupted before it began to write back: that is no error of the medium.
            if Glibc.errno != EINTR { throw .last("fdatasync", path) }
        }
    }

    package func synchronize() throws(DiskError) {
        while fsync(descriptor) != 0 {
            if Glibc.errno != EINTR { throw .last("fsync", path) }
        }
    }

    package func tryLock() -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
}
