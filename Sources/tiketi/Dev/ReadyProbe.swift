import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks `/ready` until it answers 200.
enum ReadyProbe {
    static let maxWait: Duration = .seconds(60)

    static func wait(_ address: String) async -> Bool {
        let deadline = ContinuousClock.now + maxWait
        while ContinuousClock.now < deadline {
            let request = HTTPClientRequest(url: address + "/ready")
            if let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2)),
                response.status == .ok
            {
                return true
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}
