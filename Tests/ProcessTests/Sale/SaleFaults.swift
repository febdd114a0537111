import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// Has the stand-in for Toss go wrong, at random.
///
/// Not among these: `provider_error`, which Toss repeats for its key, so that only its own time limits end it (a minute,
/// ten minutes and one). PaymentServiceTests turn the clock for those.
final class SaleFaults: Sendable {
    static let confirm = [
        "timeout_after", "timeout_before", "error_500_after", "error_500_before", "processing", "rejected", "rejected",
    ]
    static let cancel = [
        "timeout_after", "timeout_before", "error_500_after", "error_500_before", "processing", "not_cancelable",
    ]
    static let webhooks = ["normal", "duplicate", "reverse", "lost"]
    static let maxPauseMs = 900

    private let toss: ShopClient
    private let seed: UInt64
    private let isOver = Atomic<Bool>(false)

    init(_ stage: SaleStage, seed: UInt64) {
        toss = ShopClient(address: stage.toss)
        self.seed = seed
    }

    func finish() { isOver.store(true, ordering: .relaxed) }

    /// Until `finish()`; then all goes well again.
    func run() async throws {
        var generator = SeededGenerator(exactly: ~seed)
        while !isOver.load(ordering: .relaxed) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: try await tell(#"{"webhooks":"\#(Self.webhooks.randomElement(using: &generator)!)"}"#)
            case 1...3: try await fail("cancel", Self.cancel.randomElement(using: &generator)!)
            default: try await fail("confirm", Self.confirm.randomElement(using: &generator)!)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...Self.maxPauseMs, using: &generator)))
        }
        for call in ["confirm", "cancel"] { try await fail(call, "none") }
        try await tell(#"{"webhooks":"normal"}"#)
    }

    private func fail(_ call: String, _ fault: String) async throws {
        try await tell(#"{"call":"\#(call)","fault":"\#(fault)"}"#)
    }

    private func tell(_ body: String) async throws {
        _ = try await toss.ask(.POST, "/sandbox/faults", body, expecting: 204)
    }
}
