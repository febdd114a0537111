import HTTPTypes
import Hummingbird
import Platform

/// Whether a request that a cookie speaks for was made by our own pages. `SameSite` keeps most others away; this the rest,
/// such as those of sister domains.
struct SameSite: Sendable {
    /// With this field a page of another origin would have to be allowed in advance, and none is.
    static let header = HTTPField.Name("X-Tiketi-Request")!

    /// Of `PUBLIC_URL`, such as `https://tiketi.example`.
    let origin: String

    /// - Throws: 403.
    func check(_ request: Request) throws(Problem) {
        if let site = request.headers[HTTPField.Name("Sec-Fetch-Site")!] {
            if site == "same-origin" { return }
        } else if let origin = request.headers[.origin] {
            if origin == self.origin { return }
        } else if request.headers[Self.header] == "1" {
            return
        }
        throw Problem(
            .forbidden, "cross_site",
            detail: "ask from a page of this site, or, outside a browser, with the header \(Self.header): 1")
    }
}
