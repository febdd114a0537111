import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import UserService

// A browser's way to Google and back.

func withGoogle<R: Sendable>(
    _ body: @escaping @Sendable (RunningUsers, FakeGoogle) async throws -> R
) async throws -> R {
    try await FakeGoogle().run { google in
        let settings = google.settings
        return try await withUsers {
            $0.google = settings
        } _: { users in
            try await body(users, google)
        }
    }
}

/// What an address asks Google for.
func parameters(of address: String?) -> [String: String] {
    let items = URLComponents(string: address ?? "")?.queryItems ?? []
    return Dictionary(items.map { ($0.name, $0.value ?? "") }) { $1 }
}

func parameters(_ answer: Browser.Answer) -> [String: String] { parameters(of: answer.headers[.location]) }

/// Has Google say these claims, changed, of whoever comes next with the nonce.
func prepare(
    _ google: FakeGoogle, _ users: RunningUsers, nonce: String, changing changes: [String: Any] = [:]
) async throws {
    let claims = google.claims(nonce: nonce, now: users.clock.now / 1000).merging(changes) { $1 }
    let token = try await google.token(claims)
    google.state.withLock { $0.idToken = token }
}

/// Goes to Google and comes back; the answer is that of the callback.
func comeBack(
    _ browser: Browser, _ users: RunningUsers, _ google: FakeGoogle, changing changes: [String: Any] = [:],
    state: String? = nil
) async throws -> Browser.Answer {
    let asked = parameters(try await browser.send(.get, "/api/users/google"))
    try await prepare(google, users, nonce: asked["nonce"]!, changing: changes)
    return try await browser.send(
        .get,
        "/api/users/google/callback?state=\(state ?? asked["state"]!)&code=the%2Fcode&scope=openid&prompt=none")
}

/// Goes where `POST google/link` has sent the browser, and comes back.
func endLink(
    _ browser: Browser, _ begun: Browser.Answer, _ users: RunningUsers, _ google: FakeGoogle,
    changing changes: [String: Any] = [:]
) async throws -> Browser.Answer {
    #expect(begun.status == .ok, "\(begun.body)")
    let asked = parameters(of: begun["url"])
    try await prepare(google, users, nonce: asked["nonce"]!, changing: changes)
    return try await browser.send(.get, "/api/users/google/callback?state=\(asked["state"]!)&code=c")
}

/// What the callback tells our page: the fragment.
func page(_ answer: Browser.Answer) -> Substring {
    #expect(answer.status == .found)
    let location = answer.headers[.location] ?? ""
    #expect(location.hasPrefix("https://tiketi.example/auth/callback#"))
    return location.drop { $0 != "#" }
}

func exchange(_ browser: Browser, _ code: some StringProtocol) async throws -> Browser.Answer {
    try await browser.send(.post, "/api/users/google/exchange", #"{"code":"\#(code)"}"#)
}
