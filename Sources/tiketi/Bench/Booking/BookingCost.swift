/// Processor time of each process, in milliseconds: what repeats on a noisy machine.
struct BookingCost: Equatable, Sendable {
    var services = 0.0
    var postgres = 0.0
    var redis = 0.0
    var sandbox = 0.0
    /// The buyers.
    var load = 0.0

    var sum: Double { services + postgres + redis + sandbox + load }

    static func - (left: BookingCost, right: BookingCost) -> BookingCost {
        BookingCost(
            services: left.services - right.services, postgres: left.postgres - right.postgres,
            redis: left.redis - right.redis, sandbox: left.sandbox - right.sandbox, load: left.load - right.load)
    }

    /// - Parameter count: of what it was spent on.
    func figures(each count: Int, _ what: String) -> [Figure] {
        func figure(_ name: String, _ milliseconds: Double) -> Figure {
            Figure(name, milliseconds / Double(max(1, count)), "ms a \(what)", better: .lower)
        }
        return [
            figure("processor time", sum), figure("  services", services), figure("  postgres", postgres),
            figure("  redis", redis), figure("  sandbox", sandbox), figure("  buyers", load),
        ]
    }
}
