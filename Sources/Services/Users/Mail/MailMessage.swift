import Core
import Foundation
import Platform

/// A letter as it goes over the wire (RFC 5322).
enum MailMessage {
    /// Lines end with CR LF.
    ///
    /// - Parameter now: milliseconds since 1970.
    static func text(_ mail: Mail, from sender: String, now: Int64) -> String {
        var date = HTTPDate()
        let domain = sender.drop { $0 != "@" }.dropFirst()
        let lines =
            [
                "From: Tiketi <\(sender)>", "To: <\(mail.to)>", "Subject: \(mail.subject)",
                "Date: \(date.text(at: now).replacing("GMT", with: "+0000"))",
                "Message-ID: <\(UUID().uuidString.lowercased())@\(domain)>", "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=us-ascii", "Auto-Submitted: auto-generated", "",
            ] + mail.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// With each line that begins with a dot given another (RFC 5321 §4.5.2), and the line that ends it.
    static func dotted(_ message: String) -> String {
        let lines = message.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map { $0.hasPrefix(".") ? "." + $0 : String($0) }.joined(separator: "\r\n") + ".\r\n"
    }
}
