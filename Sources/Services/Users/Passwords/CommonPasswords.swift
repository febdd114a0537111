/// Passwords that guessing begins with.
enum CommonPasswords {
    static let maxCount = 3000

    private static let all = Set(list.description.split(separator: " ").map(String.init))

    /// - Parameter password: in lower case.
    static func contains(_ password: String) -> Bool { all.contains(password) }

    static var count: Int { all.count }
}
