import NIOCore
import NIOPosix
package import NIOSSL

/// Hands letters to a mail server, each over a connection of its own.
package struct SMTPMailer: Mailer {
    static let maxConnectTime = TimeAmount.seconds(10)

    private let settings: SMTPSettings
    private let sender: String
    private let tls: NIOSSLContext
    private let clock: @Sendable () -> Int64

    /// - Parameter tls: whose certificates are trusted.
    package init(
        _ settings: SMTPSettings, sender: String, tls: TLSConfiguration = .makeClientConfiguration(),
        clock: @escaping @Sendable () -> Int64
    ) throws {
        self.settings = settings
        self.sender = sender
        self.tls = try NIOSSLContext(configuration: tls)
        self.clock = clock
    }

    package func send(_ mail: Mail) async throws {
        let dialogue = SMTPDialogue(
            settings, sender: sender, recipient: mail.to,
            message: MailMessage.dotted(MailMessage.text(mail, from: sender, now: clock())))
        let settings = settings
        let tls = tls
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let delivered = loop.makePromise(of: Void.self)
        do {
            _ = try await ClientBootstrap(group: loop).connectTimeout(Self.maxConnectTime)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if settings.isImplicitTLS {
                            try pipeline.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: settings.serverName))
                        }
                        try pipeline.addHandler(SMTPHandler(dialogue, tls: tls, delivered: delivered))
                    }
                }
                .connect(host: settings.host, port: settings.port).get()
        } catch {
            delivered.fail(error)
        }
        try await delivered.futureResult.get()
    }
}
