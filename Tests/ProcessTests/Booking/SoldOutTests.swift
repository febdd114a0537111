import Foundation
import NIOHTTP1
import Platform
import TestSupport
import Testing

@testable import tiketi

/// The catalogue says of an event that it is sold out while all its seats are taken, over HTTP alone.
@Suite(.timeLimit(.minutes(5))) struct SoldOutTests {
    @Test func theCatalogueFollowsTheSeats() async throws {
        try await RunningShop.with { try await sellOut($0) }
    }

    private func sellOut(_ shop: RunningShop) async throws {
        let address = shop.address
        let admin = try await shop.admin()
        _ = try await admin.ask(.POST, "/api/artists", #"{"id":"iu","name":"아이유"}"#, expecting: 201)
        func instant(_ days: Double) -> String {
            Date(timeIntervalSinceNow: days * 86_400).formatted(.iso8601)
        }
        for id in ["small", "other"] {
            _ = try await admin.ask(
                .POST, "/api/events",
                """
                {"id":"\(id)","title":"아이유 콘서트","artistId":"iu","startsAt":"\(instant(30))",
                 "salesOpenAt":"\(instant(-1))","salesCloseAt":"\(instant(29))"}
                """, expecting: 201)
            _ = try await admin.ask(
                .PUT, "/api/events/\(id)/layout",
                #"{"sections":[{"name":"A","price":50000,"rows":[{"name":"1","seats":3}]}]}"#)
        }
        func untilSoldOut(_ ids: [String]) async throws {
            try await eventually {
                let list = try await ShopClient(address: address).ask(.GET, "/api/events?status=sold_out")
                guard list["events"]?.elements.compactMap({ $0["id"]?.text }) == ids else {
                    throw NotYet(what: "\(list)")
                }
                let event = try await ShopClient(address: address).ask(.GET, "/api/events/small")
                #expect(event["status"]?.text == (ids.isEmpty ? "on_sale" : "sold_out"))
            }
        }

        // Two buyers hold all of its seats.
        var buyers: [(client: ShopClient, reservation: String)] = []
        for (name, seats) in [("one", #""A-1-1""#), ("two", #""A-1-2","A-1-3""#)] {
            var buyer = ShopClient(address: address)
            try await buyer.register("\(name)@example.com")
            let held = try await buyer.ask(
                .POST, "/api/reservations", #"{"eventId":"small","seatIds":[\#(seats)]}"#, expecting: 201)
            buyers.append((buyer, try #require(held["id"]?.text)))
        }
        try await untilSoldOut(["small"])
        // One gives his back; another takes it.
        _ = try await buyers[0].client.ask(.DELETE, "/api/reservations/\(buyers[0].reservation)")
        try await untilSoldOut([])
        _ = try await buyers[1].client.ask(
            .POST, "/api/reservations", #"{"eventId":"small","seatIds":["A-1-1"]}"#, expecting: 201)
        try await untilSoldOut(["small"])
    }
}
