import ArgumentParser
import Foundation
import Platform
import Rollup

struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Remove a visitor from raw beacons and from what was counted of them.",
        discussion: """
            Removes every stored beacon with this visitorId, or with this sessionId and no visitorId, and counts the days \
            again that they belong to. Reservations, payments and refunds of the visitor stay, without saying whose they \
            are. Interrupted and run again, it goes on. What is still in the spool of a node, or is \
            sent later, is not there yet: run it again after that.

              tiketi erase --visitor 6f1c… --dry-run
              tiketi erase --visitor - --by 'ticket 4711' < id.txt
            """)

    @Option(help: "The visitor's id; - reads it from standard input, where no list of processes shows it.")
    var visitor: String

    @Option(help: "Who asked for it, for the audit row. The user of this process unless given.")
    var by: String?

    @Flag(help: "Say what would go, and change nothing.")
    var dryRun = false

    @OptionGroup var environmentFile: EnvironmentFile

    /// As long as an id of a beacon can be.
    static let maxIdBytes = 128

    func run() async throws {
        let id = try visitorID()
        try await RollupCommand.withRollup(environmentFile, readsOnly: dryRun) { rollup, settings in
            let bar = SharedProgressBar("searching", unit: .count("batches"))
            defer { bar.finish() }
            let progress: @Sendable (Int) -> Void = { bar.update(Int64($0), of: nil) }
            let result =
                dryRun
                ? try await rollup.findVisitor(id, progress: progress)
                : try await rollup.erase(visitor: id, by: by ?? NSUserName(), progress: progress)
            bar.finish()
            for line in Self.lines(result, isDryRun: dryRun, hasRedis: try settings.string("REDIS_URL") != nil) {
                print(line)
            }
        }
    }

    private func visitorID() throws -> String {
        var id = visitor
        if id == "-" { id = readLine(strippingNewline: true) ?? "" }
        guard (1...Self.maxIdBytes).contains(id.utf8.count) else {
            throw ValidationError("--visitor must be an id of 1 to \(Self.maxIdBytes) bytes")
        }
        return id
    }

    static func lines(_ result: Erasure.Result, isDryRun: Bool, hasRedis: Bool) -> [String] {
        let (erased, counted) = isDryRun ? ("would erase", "would be counted") : ("erased", "were counted")
        var lines = ["\(erased) \(result.beacons) beacons in \(result.batches) batches"]
        if result.bookings > 0 {
            lines.append(
                "\(isDryRun ? "would take" : "took") the visitor out of \(result.bookings) reservations, payments and "
                    + "refunds, which stay")
        }
        if !result.days.isEmpty { lines.append("\(counted) again: \(DayList(result.days))") }
        if !result.unreachableDays.isEmpty {
            lines.append(
                "can't be counted again, since raw batches are gone: \(DayList(result.unreachableDays)); their sums and "
                    + "sketches hold the visitor, which can't be undone")
        }
        if let day = result.rawGoneThrough {
            lines.append(
                "raw batches received up to \(day) are gone: what the visitor did until then is in no batch and stays in "
                    + "sums and sketches, which can't be undone")
        }
        if result.unsearched > 0 {
            lines.append(
                "\(result.unsearched) batches can't be read and were not searched: 'tiketi rollup verify' names them")
        }
        guard !isDryRun else { return lines }
        if !hasRedis { lines.append("REDIS_URL is not set: the counters of the last days still hold the visitor") }
        if result.unfinished > 0 {
            lines.append(
                "\(result.unfinished) erasures were interrupted: run them again, each with its visitor's id")
        }
        if let id = result.id { lines.append("recorded as erasure \(id)") }
        lines.append(
            "beacons that are still in the spool of a node, or are sent later, are not erased: run this again after that"
        )
        return lines
    }
}
