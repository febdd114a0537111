/// How many beacons, and how many of them are page views.
struct BeaconSum: BitwiseCopyable {
    var pageViews: Int64 = 0
    var beacons: Int64 = 0

    @inline(__always)
    init() {}

    @inline(__always)
    init(_ kind: CountedBeacons.Kind) { add(kind) }

    @inline(__always)
    mutating func add(_ kind: CountedBeacons.Kind) {
        pageViews &+= kind == .pageView ? 1 : 0
        beacons &+= 1
    }
}
