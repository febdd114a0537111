/// One measured number, and what it is held against.
struct Figure: Encodable, Equatable, Sendable {
    enum Better: String, Encodable, Sendable {
        case higher, lower
    }

    /// Somebody else's number for the same work, as a range where it was measured more than once.
    struct Peer: Equatable, Sendable {
        var name: String
        var range: ClosedRange<Double>

        init(_ name: String, _ range: ClosedRange<Double>) {
            self.name = name
            self.range = range
        }

        init(_ name: String, _ value: Double) {
            self.init(name, value...value)
        }
    }

    var what: String
    var value: Double
    var unit: String
    var better: Better
    var peers: [Peer]

    init(_ what: String, _ value: Double, _ unit: String, better: Better, peers: [Peer] = []) {
        self.what = what
        self.value = value
        self.unit = unit
        self.better = better
        self.peers = peers
    }

    /// How many times as good as the peer at its best; below 1 the peer is better.
    func times(_ peer: Peer) -> Double {
        switch better {
        case .higher: value / peer.range.upperBound
        case .lower: peer.range.lowerBound / value
        }
    }

    private enum CodingKeys: CodingKey {
        case what, value, unit, better, peers
    }

    private struct WrittenPeer: Encodable {
        var name: String
        var low: Double
        var high: Double
        /// Nil where it is infinite: JSON has no number for that.
        var times: Double?
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(what, forKey: .what)
        try container.encode(value, forKey: .value)
        try container.encode(unit, forKey: .unit)
        try container.encode(better, forKey: .better)
        try container.encode(
            peers.map {
                WrittenPeer(
                    name: $0.name, low: $0.range.lowerBound, high: $0.range.upperBound,
                    times: times($0).isFinite ? times($0) : nil)
            }, forKey: .peers)
    }
}
