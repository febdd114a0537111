import Synchronization

/// The process's metrics, written out as Prometheus text (exposition format 0.0.4).
///
/// Asking twice for one name and labels yields the same instrument. Labels are fixed when an instrument is made, so
/// nothing a client sends can add series without bound.
///
/// Names are `tiketi_<component>_<what>_<unit>`, with `_total` behind counters.
package final class Metrics: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package typealias Labels = KeyValuePairs<String, String>

    private enum Instrument {
        case counter(Counter)
        case gauge(Gauge)
        case reading(@Sendable () -> Double)
        case histogram(Histogram)

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge, .reading: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct Family {
        var help: String
        var type: String
        /// By the labels as they are written out, in the order in which they were made.
        var series: [(labels: String, instrument: Instrument)] = []
    }

    private struct State {
        var families: [String: Family] = [:]
        var names: [String] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func counter(_ name: String, _ help: String, labels: Labels = [:]) -> Counter {
        precondition(name.hasSuffix("_total"), "\(name): a counter's name ends in _total")
        guard case .counter(let counter) = register(name, help, labels, .counter(Counter())) else { mismatch(name) }
        return counter
    }

    package func gauge(_ name: String, _ help: String, labels: Labels = [:]) -> Gauge {
        guard case .gauge(let gauge) = register(name, help, labels, .gauge(Gauge())) else { mismatch(name) }
        return gauge
    }

    /// A gauge whose value is asked for when the metrics are.
    package func gauge(
        _ name: String, _ help: String, labels: Labels = [:], reading: @escaping @Sendable () -> Double
    ) {
        _ = register(name, help, labels, .reading(reading))
    }

    package func histogram(
        _ name: String, _ help: String, labels: Labels = [:], bounds: [Double] = Histogram.latencySeconds
    ) -> Histogram {
        let made = Instrument.histogram(Histogram(bounds: bounds))
        guard case .histogram(let histogram) = register(name, help, labels, made) else { mismatch(name) }
        return histogram
    }

    private func mismatch(_ name: String) -> Never {
        preconditionFailure("\(name) is already a metric of another type")
    }

    private func register(_ name: String, _ help: String, _ labels: Labels, _ instrument: Instrument) -> Instrument {
        precondition(Self.isName(name), "\(name) is no metric name")
        precondition(labels.allSatisfy { Self.isName($0.key) && $0.key != "le" }, "\(name): malformed label name")
        let written = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
        return state.withLock { state in
            if state.families[name] == nil {
                state.families[name] = Family(help: help, type: instrument.type)
                state.names.append(name)
            }
            if let known = state.families[name]!.series.first(where: { $0.labels == written }) {
                return known.instrument
            }
            precondition(state.families[name]!.type == instrument.type, "\(name) is already a metric of another type")
            state.families[name]!.series.append((written, instrument))
            return instrument
        }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5f
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

// MARK: - Exposition

extension Metrics {
    package func exposition() -> String {
        // Readings may take locks of their own, so they are called outside this one.
        let (names, families) = state.withLock { ($0.names, $0.families) }
        var text = ""
        for name in names {
            let family = families[name]!
            text += "# HELP \(name) \(Self.escaped(family.help, quotes: false))\n# TYPE \(name) \(family.type)\n"
            for (labels, instrument) in family.series {
                switch instrument {
                case .counter(let counter): text += Self.sample(name, labels, "\(counter.value)")
                case .gauge(let gauge): text += Self.sample(name, labels, "\(gauge.value)")
                case .reading(let read): text += Self.sample(name, labels, Self.number(read()))
                case .histogram(let histogram): text += Self.samples(name, labels, histogram)
                }
            }
        }
        return text
    }

    private static func sample(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func samples(_ name: String, _ labels: String, _ histogram: Histogram) -> String {
        var text = ""
        var count: UInt64 = 0
        let prefix = labels.isEmpty ? "" : labels + ","
        for (bound, inBucket) in zip(histogram.bounds.map(number) + ["+Inf"], histogram.counts) {
            count += inBucket
            text += sample("\(name)_bucket", "\(prefix)le=\"\(bound)\"", "\(count)")
        }
        return text + sample("\(name)_sum", labels, number(histogram.sum)) + sample("\(name)_count", labels, "\(count)")
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
