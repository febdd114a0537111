import CArgon2

/// Argon2id (RFC 9106), version 19, in the reference's encoded form: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
///
/// Blocks for as long as the parameters say, and takes as much memory.
package enum Argon2id {
    package struct Parameters: Sendable, Equatable {
        package var memoryKiB: UInt32
        package var passes: UInt32
        package var lanes: UInt32

        package init(memoryKiB: UInt32, passes: UInt32, lanes: UInt32) {
            self.memoryKiB = memoryKiB
            self.passes = passes
            self.lanes = lanes
        }

        /// What OWASP recommends at the least: 19 MiB, two passes, one lane.
        package static let recommended = Parameters(memoryKiB: 19_456, passes: 2, lanes: 1)
    }

    package struct Failed: Error, Equatable {
        package let code: Int32
    }

    package static let saltBytes = 16
    static let hashBytes = 32
    /// Whatever a stored hash says, checking it takes no more than this.
    package static let maxMemoryKiB: UInt32 = 256 * 1024
    package static let maxPasses: UInt32 = 16
    /// The encoded form, with salt and hash of our lengths and parameters of ten digits.
    private static let maxEncodedBytes = 160

    package static func hash(
        _ password: [UInt8], salt: [UInt8], parameters: Parameters = .recommended
    ) throws(Failed) -> String {
        var encoded = [CChar](repeating: 0, count: maxEncodedBytes)
        // Reads as many bytes of password and salt as it is told, and writes at most `encoded.count` with the NUL.
        let code = unsafe argon2id_hash_encoded(
            parameters.passes, parameters.memoryKiB, parameters.lanes, password, password.count, salt, salt.count,
            hashBytes, &encoded, encoded.count)
        guard code == ARGON2_OK.rawValue else { throw Failed(code: code) }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Compares in constant time. False for a text that is no hash within the bounds.
    package static func verify(_ password: [UInt8], encoded: String) -> Bool {
        guard let parameters = parameters(of: encoded), parameters.memoryKiB <= maxMemoryKiB,
            parameters.passes <= maxPasses
        else { return false }
        // Reads `encoded` up to its NUL.
        return unsafe argon2id_verify(encoded, password, password.count) == ARGON2_OK.rawValue
    }

    /// Nil where the text is no Argon2id hash of version 19.
    package static func parameters(of encoded: String) -> Parameters? {
        let parts = encoded.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else { return nil }
        let values = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        func value(_ index: Int, _ name: String) -> UInt32? {
            values[index].hasPrefix(name) ? UInt32(values[index].dropFirst(name.count)) : nil
        }
        guard values.count == 3, let memory = value(0, "m="), let passes = value(1, "t="), let lanes = value(2, "p=")
        else { return nil }
        return Parameters(memoryKiB: memory, passes: passes, lanes: lanes)
    }
}
