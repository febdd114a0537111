import Foundation
import NIOHTTP1
import Platform
import TestSupport
import Testing

/// Plays rounds on one stage, under buyers and faults, and compares once all has come to rest.
final class SaleTorture {
    /// A moment that doesn't come within this time was not hit. A machine that others keep busy may take most of it.
    static let maxPointWait = Duration.seconds(120)
    static let maxStart = Duration.seconds(180)
    /// The longest wait that anything has then: half a minute between two attempts, a hold's end.
    static let maxRest = Duration.seconds(180)

    let stage: SaleStage
    private let databases: SaleDatabases
    private let buyers: SaleBuyers
    private let faults: SaleFaults
    private(set) var table = SaleTable()

    /// With events to sell.
    init(_ stage: SaleStage, rounds: Int, seed: UInt64) async throws {
        self.stage = stage
        databases = try SaleDatabases(stage)
        try stage.launch(.shop)
        try stage.launch(.till)
        try await Self.untilListening(stage, .shop)
        buyers = SaleBuyers(stage, seats: try await Self.openSales(stage, events: 3 + rounds / 4), seed: seed)
        faults = SaleFaults(stage, seed: seed)
    }

    private static func openSales(_ stage: SaleStage, events: Int) async throws -> SaleSeats {
        let admin = ShopClient(
            address: stage.address(of: .shop), token: try await stage.token(UUID().uuidString.lowercased(), .admin))
        _ = try await admin.ask(.POST, "/api/artists", #"{"id":"iu","name":"아이유"}"#, expecting: 201)
        func instant(_ days: Double) -> String {
            Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + days * 86_400).rounded()).formatted(.iso8601)
        }
        for number in 1...events {
            // Of every other one not all is given back: it begins soon.
            let starts = number % 2 == 0 ? 2.0 : 30
            _ = try await admin.ask(
                .POST, "/api/events",
                """
                {"id":"sale-\(number)","title":"콘서트 \(number)","artistId":"iu","startsAt":"\(instant(starts))",
                 "salesOpenAt":"\(instant(-1))","salesCloseAt":"\(instant(starts - 1))"}
                """, expecting: 201)
            _ = try await admin.ask(
                .PUT, "/api/events/sale-\(number)/layout",
                """
                {"template":"small","prices":[{"section":"VIP","price":165000},{"section":"R","price":132000},
                 {"section":"S","price":99000}]}
                """)
        }
        let map = try await admin.ask(.GET, "/api/seats/event/sale-1")
        let seats = map["sections"]!.elements.flatMap { $0["rows"]!.elements }.flatMap { $0["seats"]!.elements }
        return SaleSeats(events: (1...events).map { "sale-\($0)" }, seats: seats.map { $0["id"]!.text! })
    }

    // MARK: Rounds

    func play(_ rounds: [SaleRound]) async throws {
        try stage.startRollup()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [buyers] in await buyers.run() }
            group.addTask { [faults] in try await faults.run() }
            for round in rounds {
                let began = ContinuousClock.now
                let isHit = try await play(round)
                table.add(round, isHit: isHit)
                let took = String(format: "%.1f s", (ContinuousClock.now - began) / .seconds(1))
                print("sale \(round): \(isHit ? "hit" : "NOT HIT") in \(took)")
            }
            for part in SaleStage.Part.allCases where !stage.isRunning(part) { try stage.launch(part) }
            buyers.finish()
            faults.finish()
            try await group.waitForAll()
        }
        try await rest()
        #expect(await stage.endRollup() == .exited(0))
    }

    private func play(_ round: SaleRound) async throws -> Bool {
        let other: SaleStage.Part = round.victim == .shop ? .till : .shop
        if !stage.isRunning(other) { try stage.launch(other) }
        if round.trouble != .none {
            if !stage.isRunning(round.victim) { try stage.launch(round.victim) }
            for part in SaleStage.Part.allCases { try await Self.untilListening(stage, part) }
            try await strike(round.trouble)
        }
        // Where it lives, since the round before was the other's, that is a kill at any time too.
        await stage.kill(round.victim)
        try await Task.sleep(for: .milliseconds(round.downMs))
        guard case .point(let point) = round.moment else {
            try stage.launch(round.victim)
            try await Task.sleep(for: .milliseconds(round.delayMs))
            await stage.kill(round.victim)
            return true
        }
        let program = try stage.launch(round.victim, crashAt: "\(point):\(round.time)")
        let deadline = ContinuousClock.now + Self.maxPointWait
        while !program.hasEnded, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        guard program.hasEnded else {
            await stage.kill(round.victim)
            return false
        }
        let ending = await program.end()
        guard ending == .signaled(SIGKILL), program.error.contains("\(CrashPlan.mark)\(point): ") else {
            Issue.record("\(round.victim) ended by itself: \(ending) \(program.error.suffix(2000))")
            return false
        }
        return true
    }

    private func strike(_ trouble: SaleRound.Trouble) async throws {
        let (postgres, redis) = (stage.postgres, stage.redis)
        switch trouble {
        case .none: return
        case .redisFlushed: try await stage.flushRedis()
        case .redisKilled:
            try await onOwnThread { redis.kill9() }
            try await redis.start()
        case .postgresKilled:
            try await onOwnThread { postgres.kill9() }
            try await postgres.start()
        case .postgresRestarted: try await postgres.restart()
        }
    }

    private static func untilListening(_ stage: SaleStage, _ part: SaleStage.Part) async throws {
        guard let program = stage.program(part) else { return }
        let deadline = ContinuousClock.now + maxStart
        while !program.error.contains(#""message":"listening""#) {
            guard !program.hasEnded, ContinuousClock.now < deadline else {
                throw StageServers.StartFailed(description: "\(part) does not listen: \(program.error.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: Rest

    private func rest() async throws {
        let admin = ShopClient(
            address: stage.address(of: .till), token: try await stage.token(UUID().uuidString.lowercased(), .admin))
        let began = ContinuousClock.now
        var underWay: [String] = []
        repeat {
            try await Task.sleep(for: .milliseconds(200))
            for part in SaleStage.Part.allCases where !stage.isRunning(part) {
                Issue.record("\(part) has ended: \(stage.program(part)?.error.suffix(2000) ?? "")")
                return
            }
            for (payment, refund) in try await databases.refusedRefunds() {
                _ = try? await admin.send(.POST, "/api/payments/\(payment)/refunds/\(refund)/retry")
            }
            underWay = try await databases.underWay()
        } while !underWay.isEmpty && ContinuousClock.now - began < Self.maxRest
        print("sale: at rest after \(ContinuousClock.now - began)")
        #expect(underWay.isEmpty)
    }

    /// Compares, and has the product itself compare.
    func compare() async throws {
        let run = try await stage.tiketi(["rollup", "run"])
        #expect(run.ending == .exited(0), "\(run.error)")
        let books = try await SaleBooks(stage, databases)
        let oracle = SaleOracle(books, buyers.told)
        #expect(oracle.errors.isEmpty, "\(oracle.errors.count): \(oracle.errors.prefix(10).joined(separator: "\n"))")
        for arguments in [["rollup", "verify", "--payments"], ["rollup", "verify"]] {
            let verify = try await stage.tiketi(arguments)
            #expect(verify.ending == .exited(0) && verify.output.isEmpty, "\(verify.output)\(verify.error)")
        }
        let told = buyers.told
        let states = Dictionary(grouping: books.payments, by: \.state).mapValues(\.count).sorted { $0.key < $1.key }
        print(
            """
            sale: \(books.reservations.count) reservations (\(told.held.count) told of), \(books.payments.count) payments: \
            \(states.map { "\($0.value) \($0.key)" }.joined(separator: ", ")), \(told.ticketed.count) told of tickets, \
            \(told.late.count) too late; \(books.refunds.values.joined().count) refunds, \(told.cancellations.count) \
            cancellations told of
            sale: Toss has \(oracle.money); payments, ledger, hours, days and months \
            \(Set(books.revenue.values.map(\.description)).sorted().joined(separator: ", "))
            """)
    }

    func end() async { await databases.shutdown() }
}
