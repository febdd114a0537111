import Foundation
import Platform

/// What a password may be: its length and whether it is a usual one, and nothing about kinds of characters.
enum PasswordRule {
    /// In Unicode code points.
    static let lengths = 8...256
    /// Of that many code points, in UTF-8.
    static let bytes = 8...1024

    /// One form for what looks the same on two keyboards.
    static func normalized(_ password: String) -> String { password.precomposedStringWithCanonicalMapping }

    /// What is wrong with it; nil where it will do.
    static func defect(of password: String, email: EmailAddress?) -> String? {
        guard lengths.contains(password.unicodeScalars.count) else {
            return "must have \(lengths.lowerBound) to \(lengths.upperBound) characters"
        }
        let lowered = password.lowercased()
        if CommonPasswords.contains(lowered) { return "is one of the commonest passwords" }
        if let email, lowered == email.key || lowered == email.key.prefix(while: { $0 != "@" }) {
            return "must not be the e-mail address"
        }
        return nil
    }
}

extension RequestFields {
    /// One that was chosen before: of any kind.
    func password(_ name: String) throws(Problem) -> String {
        guard let password = try optionalPassword(name) else { throw invalid(name, "is missing") }
        return password
    }

    func optionalPassword(_ name: String) throws(Problem) -> String? {
        guard let text = try optionalText(name, bytes: 1...PasswordRule.bytes.upperBound) else { return nil }
        guard text.unicodeScalars.count <= PasswordRule.lengths.upperBound else {
            throw invalid(name, "must have at most \(PasswordRule.lengths.upperBound) characters")
        }
        return PasswordRule.normalized(text)
    }

    /// One that is being chosen.
    func newPassword(_ name: String, email: EmailAddress?) throws(Problem) -> String {
        let password = try password(name)
        if let defect = PasswordRule.defect(of: password, email: email) { throw invalid(name, defect) }
        return password
    }
}
