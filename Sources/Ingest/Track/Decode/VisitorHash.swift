import Core
import Crypto
import Foundation

/// Stands for a visitor who sent no id: HMAC-SHA256 of address and User-Agent under a salt that changes every
/// reporting day, so that neither can be told from it and days can't be joined.
package struct VisitorHash {
    private var salt: [UInt8] = []
    /// With the salt taken in and nothing else: a copy of it saves that part.
    private var salted: HMAC<SHA256>?
    private var input: [UInt8] = []
    private var hash: [UInt8] = []

    package init() {}

    /// 32 lower-case hex digits. A connection's requests mostly come from one visitor, so the last hash is kept.
    package mutating func callAsFunction(
        salt: [UInt8], address: UnsafeRawBufferPointer, userAgent: UnsafeRawBufferPointer
    ) -> [UInt8] {
        if !hash.isEmpty, input.count == address.count + 1 + userAgent.count, salt == self.salt,
            input[..<address.count].elementsEqual(address), input[address.count] == 0x0a,
            input[(address.count + 1)...].elementsEqual(userAgent)
        {
            return hash
        }
        input.removeAll(keepingCapacity: true)
        input.append(contentsOf: address)
        input.append(0x0a)
        input.append(contentsOf: userAgent)
        if self.salt != salt || salted == nil {
            self.salt = salt
            salted = HMAC<SHA256>(key: SymmetricKey(data: salt))
        }
        var code = salted!
        code.update(data: input)
        hash.removeAll(keepingCapacity: true)
        code.finalize().withUnsafeBytes { bytes in
            Hexadecimal.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(16)), to: &hash)
        }
        return hash
    }
}
