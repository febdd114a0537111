import Foundation
import Synchronization

/// Where this process serves, once it does: how its services find one another where no setting names an address.
final class OwnAddress: Sendable {
    private let address = Mutex<URL?>(nil)

    /// Nil until the port is bound.
    var url: URL? { address.withLock { $0 } }

    /// - Parameter host: what the server listens on; `0.0.0.0` and `::` are reached by the loopback address.
    func set(host: String, port: Int) {
        let reached = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
        address.withLock { $0 = URL(string: "http://\(reached.contains(":") ? "[\(reached)]" : reached):\(port)") }
    }
}
