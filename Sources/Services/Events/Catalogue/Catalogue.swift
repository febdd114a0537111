/// A whole catalogue as plain values, such as that of the demo.
package struct Catalogue: Sendable {
    package struct Artist: Sendable {
        package var id: String
        package var name: String
        package var description: String

        package init(id: String, name: String, description: String = "") {
            self.id = id
            self.name = name
            self.description = description
        }
    }

    package struct Venue: Sendable {
        package var id: String
        package var name: String
        package var address: String

        package init(id: String, name: String, address: String = "") {
            self.id = id
            self.name = name
            self.address = address
        }
    }

    package struct Category: Sendable {
        package var id: String
        package var name: String
        package var position: Int64

        package init(id: String, name: String, position: Int64 = 0) {
            self.id = id
            self.name = name
            self.position = position
        }
    }

    package struct Event: Sendable {
        package var id: String
        package var draft: EventDraft
        package var layout: SeatLayout?

        package init(id: String, draft: EventDraft, layout: SeatLayout? = nil) {
            self.id = id
            self.draft = draft
            self.layout = layout
        }
    }

    package var artists: [Artist] = []
    package var venues: [Venue] = []
    package var categories: [Category] = []
    package var events: [Event] = []
    package var keywords: [KeywordPair] = []

    package init() {}
}
