import ArgumentParser
import Platform
import Storage

/// Runs a command's body; what fails is one line on stderr and an exit code.
func reportingFailure(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ExitCode {
        throw error
    } catch let error as ValidationError {
        throw error
    } catch let error as SettingsError {
        ProcessSettings.standardError("tiketi: \(error)")
        throw ProcessSettings.wrongUsage
    } catch let error as PostgresError {
        ProcessSettings.standardError("tiketi: \(error)")
        switch error.kind {
        case .unavailable, .overloaded: throw ProcessSettings.tryAgain
        default: throw ExitCode.failure
        }
    } catch let error as RedisError {
        ProcessSettings.standardError("tiketi: \(error)")
        switch error.kind {
        case .unavailable, .overloaded: throw ProcessSettings.tryAgain
        default: throw ExitCode.failure
        }
    } catch {
        ProcessSettings.standardError("tiketi: \(error)")
        throw ExitCode.failure
    }
}
