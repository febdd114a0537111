package import Platform

/// What is handed out whole: any answer's rows, or raw beacons.
package enum ExportQuestion: Equatable, Sendable {
    case events(EventsQuestion)
    case traffic(TrafficQuestion)
    case revenue(RevenueQuestion)
    case top(TopQuestion)
    case dashboard
    case funnel(FunnelQuestion)

    package enum Subject: String, CaseIterable, Sendable {
        case events, traffic, revenue, top, dashboard, funnel
    }

    package enum Format: String, CaseIterable, Sendable {
        case csv, ndjson

        func render(_ sheet: Sheet, isFirst: Bool) -> String {
            switch self {
            case .csv: (isFirst ? CSVText.header(sheet) : "") + CSVText.rows(sheet)
            case .ndjson: NDJSONText.render(sheet)
            }
        }
    }
}

extension ExportQuestion {
    static let ownNames = ["of", "format"]

    static func parameterNames(_ subject: Subject) -> [String] {
        switch subject {
        case .events: ownNames + EventsQuestion.parameterNames
        case .traffic: ownNames + rows(TrafficQuestion.parameterNames) + ["artistId", "eventId"]
        case .revenue: ownNames + rows(RevenueQuestion.parameterNames)
        case .top: ownNames + TopQuestion.parameterNames
        case .dashboard: ownNames
        case .funnel: ownNames + FunnelQuestion.parameterNames + ["eventId"]
        }
    }

    /// What an answer is compared with is in none of its rows.
    private static func rows(_ names: [String]) -> [String] { names.filter { $0 != "compare" } }

    /// Of all subjects, each once.
    package static var parameterNames: [String] {
        Subject.allCases.reduce(into: []) { names, subject in
            for name in parameterNames(subject) where !names.contains(name) { names.append(name) }
        }
    }

    /// The question in a URL's query, and the format it is to be answered in.
    package static func parse(query: String?) throws(InvalidParameter) -> (ExportQuestion, Format) {
        let any = try QueryParameters(query: query, known: parameterNames)
        let subject = try any.choice("of", of: Subject.allCases, default: .events)
        let format = try any.choice("format", of: Format.allCases, default: .csv)
        let parameters = try QueryParameters(query: query, known: parameterNames(subject))
        return (try ExportQuestion(subject, parameters), format)
    }

    private init(_ subject: Subject, _ parameters: QueryParameters) throws(InvalidParameter) {
        switch subject {
        case .events: self = .events(try EventsQuestion(parameters))
        case .traffic:
            let artist = try parameters.identifier("artistId")
            let event = try parameters.identifier("eventId")
            guard artist == nil || event == nil else {
                throw InvalidParameter(field: "eventId", detail: "eventId and artistId can't be given both")
            }
            self = .traffic(
                try TrafficQuestion(
                    subject: artist.map { .artist($0) } ?? event.map { .event($0) } ?? .site, parameters))
        case .revenue: self = .revenue(try RevenueQuestion(parameters))
        case .top: self = .top(try TopQuestion(parameters, maxLimit: TopQuestion.maxExportLimit))
        case .dashboard: self = .dashboard
        case .funnel:
            guard let event = try parameters.identifier("eventId") else {
                throw InvalidParameter(field: "eventId", detail: "eventId is missing: a funnel is that of an event")
            }
            self = .funnel(try FunnelQuestion(eventID: event, parameters))
        }
    }

    package var subject: Subject {
        switch self {
        case .events: .events
        case .traffic: .traffic
        case .revenue: .revenue
        case .top: .top
        case .dashboard: .dashboard
        case .funnel: .funnel
        }
    }
}
