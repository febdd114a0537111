package import Hummingbird
package import NIOCore

/// What the routes of a service know of a request besides itself.
package struct ServiceContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Nil but behind `IdentityMiddleware`.
    package var identity: AccessToken?
    /// The other end of the connection: behind a proxy, the proxy.
    package let remoteAddress: SocketAddress?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Whose request it is.
    ///
    /// - Throws: 401 on a route that no `IdentityMiddleware` stands before.
    package func signedIn() throws -> AccessToken {
        guard let identity else { throw Problem(.unauthorized, InvalidToken.missing.code) }
        return identity
    }
}
