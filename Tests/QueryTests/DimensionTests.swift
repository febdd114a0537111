import Core
import Testing

@testable import Query

@Suite struct DimensionTests {
    @Test(arguments: [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
            DeviceClass.desktop
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15", .desktop),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", .desktop),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", .desktop),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1", .mobile),
        ("Mozilla/5.0 (Linux; Android 14; SM-S928N) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", .mobile),
        ("Mozilla/5.0 (Linux; Android 12; CUBOT P80) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", .mobile),
        ("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.8.119 Version/11.10", .mobile),
        ("Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) Version/17.6 Mobile/15E148 Safari/604.1", .tablet),
        ("Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 Chrome/131.0 Safari/537.36", .tablet),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", .bot),
        ("Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)", .bot),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", .bot),
        ("curl/8.5.0", .bot),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0", .bot),
        ("", .unknown),
        ("-", .unknown),
        ("something", .unknown),
    ])
    func devicesAreToldApart(_ userAgent: String, _ device: DeviceClass) {
        #expect(DeviceClass(userAgent: userAgent) == device)
    }

    @Test func noUserAgentIsUnknown() {
        #expect(DeviceClass(userAgent: nil) == .unknown)
    }

    @Test(
        arguments: [
            ("https://www.Google.co.kr/search?q=x", "www.google.co.kr"),
            ("http://user:pw@example.com:8080/a", "example.com"),
            ("https://example.com.", "example.com"),
            ("https://example.com?a=b", "example.com"),
            ("//cdn.example.com/x", "cdn.example.com"),
            ("example.com/path", "example.com"),
            ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
            ("android-app://com.google.android.gm/", "com.google.android.gm"),
            ("https://한국.kr/", "한국.kr"),
            ("-", nil), ("/relative", nil), ("https://", nil), ("http:///x", nil), ("not a url", nil), ("", nil),
        ] as [(String, String?)])
    func referrersAreGroupedByHost(_ referrer: String, _ host: String?) {
        #expect(ReferrerHost.host(of: referrer) == host)
    }
}
