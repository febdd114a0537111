import Glibc

/// A port of the loopback address that nobody listens on just now.
enum FreePort {
    struct NoneLeft: Error, CustomStringConvertible {
        var description: String { "no free port on 127.0.0.1" }
    }

    /// The services have to know their address before they listen, since it is part of links; another process may take
    /// the port meanwhile, and this one then says so and ends.
    static func pick() throws(NoneLeft) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw NoneLeft() }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else { throw NoneLeft() }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
