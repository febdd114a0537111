/// Two names for the same, such as 아이유 and IU.
package struct KeywordPair: Sendable, Equatable {
    package static let maxPairs = 1000
    package static let maxBytes = 100

    package var korean: String
    package var english: String

    package init(korean: String, english: String) {
        self.korean = korean
        self.english = english
    }
}
