import Foundation
import Storage
import TestSupport
import Testing

@Suite struct DiskTests {
    @Test func directoriesAreMadeWithThoseAboveThem() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "a/b/c").path
            for _ in 0..<2 {
                let directory = try DiskDirectory(path)
                #expect(try directory.names() == [])
                try directory.synchronize()
            }
            #expect(throws: DiskError.self) { try DiskDirectory("/proc/none/such") }
        }
    }

    @Test func aFileOfTwoNamesKeepsTheOtherWhenOneIsTaken() async throws {
        try await withTemporaryFolder { folder in
            let directory = try DiskDirectory(folder.path)
            for (name, byte) in [("a", 1), ("b", 2)] as [(String, UInt8)] {
                try [byte].withUnsafeBytes { try directory.open(name, .create).write($0, at: 0) }
            }
            #expect(throws: DiskError.self) { try directory.link("a", to: "b") }
            #expect(throws: DiskError.self) { try directory.link("none", to: "c") }
            try directory.link("a", to: "c")
            try directory.rename("b", to: "a")
            #expect(try directory.names() == ["a", "c"])
            #expect(try directory.open("a", .read).read(2, at: 0) == [2])
            #expect(try directory.open("c", .read).read(2, at: 0) == [1])
        }
    }

    @Test func aCutFileEndsThereAndTakesMore() async throws {
        try await withTemporaryFolder { folder in
            let file = try DiskFile(folder.appending(path: "file").path, .create)
            try file.allocate(4096)
            try [UInt8](repeating: 7, count: 100).withUnsafeBytes { try file.write($0, at: 0) }
            try file.truncate(to: 10)
            #expect(try file.size() == 10)
            try [8].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
                try file.write(UnsafeRawBufferPointer(rebasing: bytes[0..<1]), at: 12)
            }
            try file.synchronizeData()
            #expect(try file.read(100, at: 0) == [UInt8](repeating: 7, count: 10) + [0, 0, 8])
        }
    }
}
