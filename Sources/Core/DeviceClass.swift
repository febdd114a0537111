/// What kind of device sent a beacon, as far as its User-Agent tells.
package enum DeviceClass: String, CaseIterable, Sendable {
    case desktop, mobile, tablet, bot, unknown

    package init(userAgent: String?) {
        guard let text = userAgent?.lowercased(), !text.isEmpty else {
            self = .unknown
            return
        }
        func names(_ words: [String]) -> Bool { words.contains { text.contains($0) } }
        // Cubot makes phones.
        let isBotWord = text.contains("bot") && !text.contains("cubot")
        if isBotWord || names(Self.botWords) {
            self = .bot
        } else if names(["ipad", "tablet", "kindle", "silk/", "playbook"])
            || text.contains("android") && !text.contains("mobile")
        {
            self = .tablet
        } else if names(["mobi", "iphone", "ipod", "android", "windows phone", "opera mini", "blackberry"]) {
            self = .mobile
        } else if names(["windows", "macintosh", "x11", "linux", "cros ", "mac os x"]) {
            self = .desktop
        } else {
            self = .unknown
        }
    }

    private static let botWords = [
        "crawl", "spider", "slurp", "curl/", "wget", "python-", "headless", "facebookexternalhit", "yeti/", "daumoa",
        "go-http-client", "java/", "libwww", "feed", "ruby/", "validator",
    ]
}
