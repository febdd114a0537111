import Foundation

/// Where a private server's Unix socket lies: in its own folder, or where that path is too long, in a folder of the
/// system's temporary one that only its owner may enter.
struct SocketFolder: Sendable {
    /// A socket's whole path may have 107 bytes; this leaves room for `/.s.PGSQL.5432.lock` and the like.
    static let maxPathLength = 85

    let url: URL
    private let isTemporary: Bool
    /// Whom the server runs as.
    private let owner: uid_t

    init(in folder: URL, owner: uid_t) {
        self.owner = owner
        let inside = folder.appending(path: "run", directoryHint: .isDirectory)
        isTemporary = inside.path.utf8.count > Self.maxPathLength
        if isTemporary {
            // The same folder every time, so that a server left running is found again.
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in folder.path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            url = FileManager.default.temporaryDirectory
                .appending(path: "tiketi-\(geteuid())-\(String(hash, radix: 36))", directoryHint: .isDirectory)
        } else {
            url = inside
        }
    }

    func make() throws {
        mkdir(url.path, 0o700)
        // Somebody else's folder or link of that name would let them in.
        guard url.isFolderItself, let holder = url.holder, [geteuid(), owner].contains(holder),
            chmod(url.path, 0o700) == 0
        else { throw PrivateServerError("\(url.path) is not a folder of ours") }
        try url.changeOwner(to: owner)
    }

    /// What nobody would find in the temporary folder is not left there.
    func clean() {
        if isTemporary { try? FileManager.default.removeItem(at: url) }
    }
}

// By FileManager, which follows no link here: the members of `stat` can't be reached in an optimized build, where the
// compiler takes them for CoreFoundation's, and asks for an import of that.
extension URL {
    private var attributes: [FileAttributeKey: Any]? { try? FileManager.default.attributesOfItem(atPath: path) }

    /// Whether it is a folder and no link to one.
    fileprivate var isFolderItself: Bool { attributes?[.type] as? FileAttributeType == .typeDirectory }

    /// The user it belongs to.
    fileprivate var holder: uid_t? { (attributes?[.ownerAccountID] as? NSNumber)?.uint32Value }

    /// Gives the file or folder to a user. Does nothing where it is already his.
    func changeOwner(to owner: uid_t) throws {
        guard let holder, holder != owner else { return }
        guard lchown(path, owner, gid_t.max) == 0 else {
            throw PrivateServerError("cannot give \(path) to user \(owner): \(String(cString: strerror(errno)))")
        }
    }
}
