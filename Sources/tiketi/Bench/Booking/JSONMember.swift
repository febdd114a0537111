/// One member of a service's answer, found without reading the rest: the load's time is the servers'.
///
/// Services write no spaces. Of several members of the name, the first counts.
enum JSONMember {
    /// Nil also where it has an escape.
    static func text(_ name: String, in body: UnsafeRawBufferPointer) -> String? {
        guard var position = value(of: name, in: body), position < body.count, body[position] == 0x22 else {
            return nil
        }
        position += 1
        let start = position
        while position < body.count, body[position] != 0x22 {
            if body[position] == 0x5c { return nil }
            position += 1
        }
        guard position < body.count else { return nil }
        return String(decoding: body[start..<position], as: UTF8.self)
    }

    /// Nil also where it is negative or no whole number.
    static func integer(_ name: String, in body: UnsafeRawBufferPointer) -> Int64? {
        guard let start = value(of: name, in: body) else { return nil }
        let digits = body[start...].prefix { (0x30...0x39).contains($0) }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    private static func value(of name: String, in body: UnsafeRawBufferPointer) -> Int? {
        var name = "\"\(name)\":"
        return name.withUTF8 { name in
            guard body.count >= name.count else { return nil }
            return (0...body.count - name.count).first { start in
                body[start] == name[0] && name.indices.allSatisfy { body[start + $0] == name[$0] }
            }.map { $0 + name.count }
        }
    }
}
