import Foundation

@testable import Storage

/// The directory of a `SimulatedDisk`, as one process has it.
struct SimulatedDirectory: Directory {
    let disk: SimulatedDisk
    let process: Int
    let path = "/spool"

    func open(_ name: String, _ mode: FileMode) throws(DiskError) -> any File {
        guard mode == .create else {
            return try disk.call(.open, path(of: name), by: process) { state throws(DiskError) in
                guard let file = state.entries.files[name] else {
                    throw DiskError(call: "open", path: path(of: name), errno: ENOENT)
                }
                return SimulatedFile(disk: disk, process: process, file: file, path: path(of: name))
            }
        }
        func create(_ state: inout SimulatedDisk.State) -> SimulatedFile {
            state.contents.append(SimulatedContent())
            let file = state.contents.count - 1
            state.entries.set([(name, file)])
            return SimulatedFile(disk: disk, process: process, file: file, path: path(of: name))
        }
        return try disk.call(.create, path(of: name), by: process) { state in
            if state.isStruckMidway, state.entries.files[name] == nil { _ = create(&state) }
        } _: { state throws(DiskError) in
            guard state.entries.files[name] == nil else {
                throw DiskError(call: "open", path: path(of: name), errno: EEXIST)
            }
            return create(&state)
        }
    }

    func names() throws(DiskError) -> [String] {
        try disk.call(.names, path, by: process) { state in state.entries.files.keys.sorted() }
    }

    func link(_ name: String, to other: String) throws(DiskError) {
        func link(_ state: inout SimulatedDisk.State) throws(DiskError) {
            guard let file = state.entries.files[name] else {
                throw DiskError(call: "link", path: path(of: name), errno: ENOENT)
            }
            guard state.entries.files[other] == nil else {
                throw DiskError(call: "link", path: path(of: name), errno: EEXIST)
            }
            state.entries.set([(other, file)])
        }
        try disk.call(.link, path(of: name), by: process) { state in
            if state.isStruckMidway { try? link(&state) }
        } _: { state throws(DiskError) in
            try link(&state)
        }
    }

    func rename(_ name: String, to other: String) throws(DiskError) {
        func rename(_ state: inout SimulatedDisk.State) throws(DiskError) {
            guard let file = state.entries.files[name] else {
                throw DiskError(call: "rename", path: path(of: name), errno: ENOENT)
            }
            state.entries.set([(name, nil), (other, file)])
        }
        try disk.call(.rename, path(of: name), by: process) { state in
            if state.isStruckMidway { try? rename(&state) }
        } _: { state throws(DiskError) in
            try rename(&state)
        }
    }

    func remove(_ name: String) throws(DiskError) {
        func remove(_ state: inout SimulatedDisk.State) throws(DiskError) {
            guard state.entries.files[name] != nil else {
                throw DiskError(call: "unlink", path: path(of: name), errno: ENOENT)
            }
            state.entries.set([(name, nil)])
        }
        try disk.call(.remove, path(of: name), by: process) { state in
            if !state.isDown, state.entries.files[name] != nil { state.hasFailedRemoving = true }
            if state.isStruckMidway { try? remove(&state) }
        } _: { state throws(DiskError) in
            try remove(&state)
        }
    }

    func synchronize() throws(DiskError) {
        try disk.call(.synchronize, path, by: process) { state in
            state.failSynchronizing { state in
                state.entries.failSynchronizing(&state.random)
            }
        } _: { state in
            state.entries.synchronize()
        }
    }
}

extension SimulatedDisk.State {
    /// Whether a call that fails has done its work all the same.
    var isStruckMidway: Bool {
        mutating get { striking != .noSpace && Bool.random(using: &random) }
    }

    /// A sync that ends with the process has done nothing yet, and what was pending stays so.
    mutating func failSynchronizing(_ fail: (inout SimulatedDisk.State) -> Void) {
        guard !isDown else { return }
        fail(&self)
        hasFailedSynchronizing = true
    }
}
