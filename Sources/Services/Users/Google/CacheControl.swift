/// How long an answer may be kept (RFC 9111 §5.2).
enum CacheControl {
    /// Where an answer doesn't say.
    static let defaultSeconds: Int64 = 3600
    static let maxSeconds: Int64 = 86_400

    /// - Parameter age: the `Age` header: how long a cache on the way has had it.
    static func seconds(_ header: String?, age: String?) -> Int64 {
        var seconds = defaultSeconds
        for directive in (header ?? "").split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map {
                $0.filter { $0 != " " && $0 != "\"" }.lowercased()
            }
            switch parts.first {
            case "no-store", "no-cache": return 0
            case "max-age" where parts.count == 2: seconds = Int64(parts[1]) ?? 0
            default: break
            }
        }
        return min(maxSeconds, max(0, seconds - (age.flatMap { Int64($0) } ?? 0)))
    }
}
