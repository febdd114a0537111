import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Storage

/// The shop of `tiketi dev`: one page whose script uses the public API.
struct ShopPages: Sendable {
    private static let types = ["html": "text/html", "css": "text/css", "js": "text/javascript"]
    /// The page itself and what it loads come from here, and nothing else does.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    /// Where the script shows something else: the browser may be sent straight there.
    private static let places = [
        "", "login", "my", "events/:id", "reservations/:id", "checkout/success", "checkout/fail",
        // Where mails and the way back from Google lead to.
        "verify-email", "forgot-password", "reset-password", "auth/callback",
    ]

    private let files: [String: ByteBuffer]

    init() throws {
        let folder = try ProgramResources.folder(of: "tiketi").appending(path: "Shop", directoryHint: .isDirectory)
        var files: [String: ByteBuffer] = [:]
        for name in ["index.html", "shop.css", "shop.js", "account.js"] {
            files[name] = ByteBuffer(bytes: try Data(contentsOf: folder.appending(path: name)))
        }
        self.files = files
    }

    func addRoutes(to router: Router<ServiceContext>) {
        for place in Self.places {
            router.get(RouterPath(place)) { _, _ in answer("index.html") }
        }
        for name in files.keys where name != "index.html" {
            router.get(RouterPath("shop/\(name)")) { _, _ in answer(name) }
        }
    }

    private func answer(_ name: String) -> Response {
        let type = Self.types[String(name.split(separator: ".").last!)]!
        return Response(
            status: .ok,
            headers: [
                .contentType: "\(type); charset=utf-8", .cacheControl: "no-cache", .contentSecurityPolicy: Self.policy,
                .xContentTypeOptions: "nosniff", HTTPField.Name("Referrer-Policy")!: "same-origin",
            ], body: ResponseBody(byteBuffer: files[name]!))
    }
}
