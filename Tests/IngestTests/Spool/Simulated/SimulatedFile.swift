import TestSupport

@testable import Storage

/// An open file of a `SimulatedDisk`, as one process has it.
final class SimulatedFile: File {
    let disk: SimulatedDisk
    let process: Int
    let file: Int
    let path: String

    init(disk: SimulatedDisk, process: Int, file: Int, path: String) {
        self.disk = disk
        self.process = process
        self.file = file
        self.path = path
    }

    func size() throws(DiskError) -> Int {
        try disk.call(.size, path, by: process) { state in state.contents[file].bytes.count }
    }

    func allocate(_ bytes: Int) throws(DiskError) {
        try disk.call(.allocate, path, by: process) { state in
            // A part, or all, or nothing.
            let size = state.contents[file].bytes.count
            let reserved = min(bytes, Int(state.random.next() % UInt64(2 * bytes)))
            if reserved > size { state.contents[file].resize(to: reserved) }
        } _: { state in
            if bytes > state.contents[file].bytes.count { state.contents[file].resize(to: bytes) }
        }
    }

    func truncate(to bytes: Int) throws(DiskError) {
        try disk.call(.truncate, path, by: process) { state in
            if state.isStruckMidway { state.contents[file].resize(to: bytes) }
        } _: { state in
            state.contents[file].resize(to: bytes)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        let bytes = [UInt8](bytes)
        try disk.call(.write, path, by: process) { state in
            // A disk without space has not taken all of it.
            let most = state.striking == .noSpace ? bytes.count : bytes.count + 1
            let written = most == 0 ? 0 : Int(state.random.next() % UInt64(most))
            state.contents[file].write(Array(bytes[..<written]), at: offset)
        } _: { state in
            state.contents[file].write(bytes, at: offset)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try disk.call(.read, path, by: process) { state in
            state.contents[file].bytes.withUnsafeBytes { bytes in
                let part = (offset..<(offset + buffer.count)).clamped(to: 0..<bytes.count)
                guard !part.isEmpty else { return 0 }
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[part]))
                return part.count
            }
        }
    }

    func synchronizeData() throws(DiskError) { try synchronize() }

    func synchronize() throws(DiskError) {
        try disk.call(.synchronize, path, by: process) { state in
            state.failSynchronizing { state in
                state.content(of: file) { $0.failSynchronizing(&$1) }
            }
        } _: { state in
            state.contents[file].synchronize()
        }
    }

    func tryLock() -> Bool {
        disk.tryLock(file, by: process)
    }
}
