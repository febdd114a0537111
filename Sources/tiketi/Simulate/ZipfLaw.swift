/// Small numbers come often: number n with a weight of 1 / (n + 1).
struct ZipfLaw: Sendable {
    private let sums: [Double]

    init(count: Int) {
        var sum = 0.0
        sums = (0..<count).map { number in
            sum += 1 / Double(number + 1)
            return sum
        }
    }

    func draw(_ random: inout SplitMix64) -> Int {
        let wanted = Double.random(in: 0..<sums[sums.count - 1], using: &random)
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
