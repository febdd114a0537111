/// First come, first served, at the same cost however many wait.
struct WaitingLine<Element> {
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
            // Half of it is gone: what is left moves once for as many as have left.
            if first * 2 >= elements.count {
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
