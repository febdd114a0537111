import ArgumentParser
import Platform

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Mint an access token with JWT_SIGNING_KEY.")

    static let maxLifetime: Int64 = 366 * 86_400

    @Option(help: "\(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    var role: Role

    @Option(help: ArgumentHelp("How long it is good: 90s, 30m, 12h, 7d.", valueName: "time"))
    var expires = Lifetime(seconds: 12 * 3600)

    @Option(help: "Whose it is.")
    var subject = "cli"

    /// `tiketi-payments`, with Payments' key, for what Reservations tells Payments alone.
    @Option(help: "Who says so.")
    var issuer = AccessToken.issuer

    @OptionGroup var environmentFile: EnvironmentFile

    struct Lifetime: ExpressibleByArgument, CustomStringConvertible {
        let seconds: Int64

        init(seconds: Int64) {
            self.seconds = seconds
        }

        init?(argument: String) {
            let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
                (1...TokenCommand.maxLifetime / unit).contains(count)
            else { return nil }
            seconds = count * unit
        }

        var description: String { seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s" }
    }

    func run() async throws {
        try await reportingFailure {
            let settings = try environmentFile.settings()
            let key: SigningKey
            do {
                key = try SigningKey(settings.require("JWT_SIGNING_KEY"))
            } catch is SigningKey.Malformed {
                throw SettingsError("JWT_SIGNING_KEY", SigningKey.Malformed.requirement)
            }
            let now = ProcessSettings.clock() / 1000
            print(
                try await key.mint(
                    issuer: issuer, audience: Audience.allCases, subject: subject, role: role,
                    lifetimeSeconds: expires.seconds, now: now))
        }
    }
}

extension Role: ExpressibleByArgument {}
