import Foundation

/// A database server of our own on a Unix socket, for development and tests: nobody else can reach it.
///
/// It is a daemon in a session of its own, so that Ctrl-C in a terminal does not reach it, and it outlives a
/// `kill -9` of this process: the next start on its folder stops it and starts it anew.
package protocol PrivateServer: AnyObject, Sendable {
    /// Starts the server, with whatever its folder holds. Blocks until it answers.
    func startBlocking() throws

    /// Stops the server in good order, or by force where that takes too long. Blocks.
    func stopBlocking()

    /// Ends the server as a crash would, and waits until it is gone. Blocks.
    func kill9()
}

extension PrivateServer {
    package func start() async throws {
        try await offCooperativeThreads { try self.startBlocking() }
    }

    package func stop() async {
        try? await offCooperativeThreads { self.stopBlocking() }
    }

    package func restart() async throws {
        try await offCooperativeThreads {
            self.stopBlocking()
            try self.startBlocking()
        }
    }
}

private func offCooperativeThreads<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.start()
    }
}
