package import Platform

/// What the API sends and the command line prints: the same value for both.
package protocol Answer: Sendable {
    func write(to json: inout JSONWriter)
    var sheet: Sheet { get }
    var freshness: Freshness { get }
    /// Empty where an answer can't say.
    var explanation: Explanation { get }
}

extension Answer {
    package var json: String {
        var json = JSONWriter()
        write(to: &json)
        return json.text
    }
}
