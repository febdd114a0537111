/// First come, first served, at the same cost however many wait.
struct WaitingLine<Element> {
    /// Places of those who have left, that are kept in any case: a line is short most of the time.
    private static var maxKept: Int { 64 }

    private var elements: [Element?] = []
    private var first = 0

    var count: Int { elements.count - first }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func next() -> Element? {
        while first < elements.count {
            let element = elements[first]
            elements[first] = nil
            first += 1
            if first == elements.count {
                elements.removeAll(keepingCapacity: first <= Self.maxKept)
                first = 0
            } else if first > Self.maxKept, first * 2 >= elements.count {
                // Half of it is gone: what is left moves once for as many as have left.
                elements.removeFirst(first)
                first = 0
            }
            if let element { return element }
        }
        return nil
    }

    /// Takes out the first that fits.
    mutating func remove(where fits: (Element) -> Bool) -> Element? {
        guard let index = elements.indices.dropFirst(first).first(where: { elements[$0].map(fits) == true }) else {
            return nil
        }
        return elements.remove(at: index)
    }

    mutating func removeAll() -> [Element] {
        defer { self = WaitingLine() }
        return elements.compactMap { $0 }
    }
}
