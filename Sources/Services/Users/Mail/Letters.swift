import Foundation

/// What we write to people. Nothing that a stranger typed is in it: else our mails could be made to carry it.
struct Letters: Sendable {
    /// Of the site, without a slash at the end. Never from a request's `Host`.
    let site: String

    /// By when a change of credentials has signed out whoever was in: other services don't hear of it.
    static let signedOut = "within \(AccessGrant.maxSecondsElsewhere / 60) minutes"

    // In the fragment: it reaches no server's log and no Referer.
    func verifyAddress(_ to: String, _ code: Secret) -> Mail {
        Mail(
            to: to, subject: "Tiketi: confirm your e-mail address",
            text: """
                Welcome to Tiketi.

                Confirm that this address is yours within 24 hours, with the password that you have chosen:

                \(site)/verify-email#code=\(code.text)

                If you have not registered, ignore this mail. Somebody else has, and can do nothing in your name.
                """)
    }

    func alreadyRegistered(_ to: String, _ code: Secret) -> Mail {
        Mail(
            to: to, subject: "Tiketi: you have an account already",
            text: """
                Somebody, probably you, tried to register with this address, which has an account already.
                Log in, or set a new password within 10 minutes:

                \(site)/reset-password#code=\(code.text)

                If it was not you, ignore this mail: nothing has changed.
                """)
    }

    func resetPassword(_ to: String, _ code: Secret) -> Mail {
        Mail(
            to: to, subject: "Tiketi: set a new password",
            text: """
                Set a new password within 10 minutes:

                \(site)/reset-password#code=\(code.text)

                If you have not asked for it, ignore this mail: nothing has changed.
                """)
    }

    func passwordChanged(_ to: String) -> Mail {
        Mail(
            to: to, subject: "Tiketi: your password was changed",
            text: """
                The password of your account was changed. Other browsers and devices are signed out
                \(Self.signedOut).

                If it was not you, set a new one at once: \(site)/forgot-password
                """)
    }

    /// - Parameter isUnlinked: Google signed in to the account until then.
    func passwordReset(_ to: String, isUnlinked: Bool) -> Mail {
        let google =
            isUnlinked
            ? "\n\nGoogle signs in to it no more, as anybody could have added it: if it was you, add it again." : ""
        return Mail(
            to: to, subject: "Tiketi: your password was changed",
            text: """
                A new password was set for your account by mail. All browsers and devices are signed out
                \(Self.signedOut).\(google)

                If it was not you, set another one at once: \(site)/forgot-password
                """)
    }

    func googleAdded(_ to: String) -> Mail {
        Mail(
            to: to, subject: "Tiketi: you can sign in with Google now",
            text: """
                A Google account was added to your account: it signs in to it from now on.

                If it was not you, set a new password at once, which takes it away again: \(site)/forgot-password
                """)
    }

    func googleRemoved(_ to: String) -> Mail {
        Mail(
            to: to, subject: "Tiketi: you no longer sign in with Google",
            text: """
                The Google account was taken away from your account. Other browsers and devices are signed out
                \(Self.signedOut).

                If it was not you, set a new password at once: \(site)/forgot-password
                """)
    }
}
