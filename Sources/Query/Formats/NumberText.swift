/// Numbers as text for people.
enum NumberText {
    /// `-1,234,567`
    static func grouped(_ value: Int64) -> String {
        let digits = String(value.magnitude)
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// 125 is `12.5`
    static func tenths(_ value: Int64) -> String {
        "\(value < 0 ? "-" : "")\(value.magnitude / 10).\(value.magnitude % 10)"
    }

    /// Minor units as the currency is written: 1234567 is `1,234,567` in KRW and `12,345.67` in USD.
    static func money(_ minor: Int64, _ currency: String) -> String {
        let decimals = decimals(of: currency)
        guard decimals > 0 else { return grouped(minor) }
        let scale: UInt64 = decimals == 2 ? 100 : 1000
        let fraction = String(minor.magnitude % scale)
        let whole = grouped(Int64(minor.magnitude / scale))
        return (minor < 0 ? "-" : "") + whole + "." + String(repeating: "0", count: decimals - fraction.count)
            + fraction
    }

    /// `1m 05s`, `2h 00m 05s`
    static func duration(seconds: Int64) -> String {
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        if hours > 0 { return "\(grouped(hours))h \(two(minutes))m \(two(rest))s" }
        return minutes > 0 ? "\(minutes)m \(two(rest))s" : "\(rest)s"
    }

    /// ISO 4217's minor units.
    private static func decimals(of currency: String) -> Int {
        switch currency {
        case "KRW", "JPY", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF", "KMF", "GNF", "DJF", "BIF",
            "VUV":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }
}
