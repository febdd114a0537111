import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What the fuzzer found once, and what it begins with (`make fuzz`).
@Suite struct FuzzInputTests {
    private static let inputs = URL(filePath: #filePath).appending(path: "../../../Fuzz/Inputs").standardizedFileURL

    @Test(arguments: FuzzTarget.allCases) func everyInputKeptIsTakenWell(_ target: FuzzTarget) throws {
        let folder = Self.inputs.appending(path: target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(!names.isEmpty)
        for name in names {
            try Data(contentsOf: folder.appending(path: name)).withUnsafeBytes { try target($0) }
        }
    }

    /// As a fuzzer's first minute: kept inputs cut, joined and with bits flipped.
    @Test(arguments: FuzzTarget.allCases) func andSoAreOthersLikeThem(_ target: FuzzTarget) throws {
        var generator = SeededGenerator()
        print("\(target): \(generator)")
        let folder = Self.inputs.appending(path: target.rawValue)
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { try Array(Data(contentsOf: folder.appending(path: $0))) }
        for _ in 0..<300 {
            var input = kept.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...8, using: &generator) where !input.isEmpty {
                let place = Int.random(in: 0..<input.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: input.remove(at: place)
                case 2: input.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
                default:
                    let other = kept.randomElement(using: &generator)!
                    input.replaceSubrange(place..., with: other.dropFirst(min(place, other.count)))
                }
            }
            try input.withUnsafeBytes { try target($0) }
        }
    }
}
