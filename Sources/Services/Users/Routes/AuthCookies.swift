import HTTPTypes
import Hummingbird

/// The cookies that we give browsers. `__Host-` has them come from this very host, by TLS, and go to no other; scripts read
/// none. Browsers take them from `http://127.0.0.1` and `http://localhost` too.
enum AuthCookie: String {
    case refresh = "__Host-tiketi-refresh"
    /// By which a browser that has signed in before is known.
    case device = "__Host-tiketi-device"
    /// Binds a sign-in with Google to the browser that began it.
    case google = "__Host-tiketi-google"

    /// The cookie's value in a request; nil where there is none.
    func value(in request: Request) -> Substring? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                if pair.hasPrefix(rawValue + "=") { return pair.dropFirst(rawValue.count + 1) }
            }
        }
        return nil
    }

    /// The field that sets it.
    func field(_ value: String, maxAgeSeconds: Int64) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value: "\(rawValue)=\(value); Max-Age=\(maxAgeSeconds); Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    var removal: HTTPField { field("", maxAgeSeconds: 0) }
}
