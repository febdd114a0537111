import ArgumentParser

/// What `tiketi serve` can run; several share one port and one process.
enum ServiceName: String, CaseIterable, ExpressibleByArgument {
    case ingest, query, users, events, reservations, payments

    /// `all` stands for every one.
    static func resolve(_ names: [String]) throws -> Set<ServiceName> {
        var services: Set<ServiceName> = []
        for name in names {
            if name == "all" {
                services.formUnion(allCases)
            } else if let service = ServiceName(rawValue: name) {
                services.insert(service)
            } else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no service '\(name)': choose from \(known), all")
            }
        }
        guard !services.isEmpty else { throw ValidationError("name a service to run, or 'all'") }
        return services
    }
}
