/// What `event_search` has of an event.
package struct SearchedTexts: Sendable, Equatable {
    /// Of a description, search knows so many characters.
    static let maxDescriptionCharacters = 500

    package let title: String
    package let head: String
    package let whole: String
    package let terms: [String]

    package init(title: String, artist: String, venue: String, description: String) {
        let title = SearchText(title)
        let artist = SearchText(artist)
        let venue = SearchText(venue)
        let description = SearchText(description, maxCharacters: Self.maxDescriptionCharacters)
        self.title = title.normalized
        head = self.title + artist.normalized
        whole = head + venue.normalized + description.normalized
        terms = Set([title, artist, venue, description].flatMap(\.terms)).sorted()
    }
}
