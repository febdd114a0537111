import Platform

/// An e-mail address of the kind that forms take (HTML's `type=email`), with a dot in its domain.
package struct EmailAddress: Sendable, Equatable {
    static let lengths = 6...254
    static let maxLocalBytes = 64
    /// What `init` takes, but for the bound on what stands before the @.
    static let pattern =
        #"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"#

    let text: String
    /// By which accounts are told apart: in lower case, also before the @, as no mail provider of note does otherwise.
    var key: String { text.lowercased() }

    package init?(_ text: String) {
        guard Self.lengths.contains(text.utf8.count) else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...Self.maxLocalBytes).contains(parts[0].count),
            parts[0].allSatisfy({ Self.isLetterOrDigit($0) || ".!#$%&'*+/=?^_`{|}~-".utf8.contains($0) })
        else { return nil }
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2 else { return nil }
        for label in labels {
            guard (1...63).contains(label.count), let first = label.first, let last = label.last,
                Self.isLetterOrDigit(first), Self.isLetterOrDigit(last),
                label.allSatisfy({ Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") })
            else { return nil }
        }
        self.text = text
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension RequestFields {
    func email(_ name: String) throws(Problem) -> EmailAddress {
        guard let address = EmailAddress(try text(name, bytes: EmailAddress.lengths)) else {
            throw invalid(name, "must be an e-mail address")
        }
        return address
    }

    func secret(_ name: String) throws(Problem) -> Secret {
        guard let secret = Secret(try text(name, bytes: Secret.textLength...Secret.textLength)) else {
            throw invalid(name, "is no code of ours")
        }
        return secret
    }

    /// What a person is called.
    func personName(_ name: String) throws(Problem) -> String {
        let text = try text(name, bytes: 1...400)
        guard text.unicodeScalars.count <= 100 else { throw invalid(name, "must have 1 to 100 characters") }
        return text
    }
}
