extension TrackOutcome {
    static func answerBody(accepted: Int) -> [UInt8] {
        var outcome = TrackOutcome()
        outcome.acceptedCount = accepted
        return outcome.answerBody()
    }

    /// `{"accepted":N,"rejected":[…]}`. Where more were rejected than are listed, `rejectedCount` says how many.
    func answerBody() -> [UInt8] {
        var json = Array(#"{"accepted":"#.utf8)
        json += String(acceptedCount).utf8
        if !rejected.isEmpty {
            json += #","rejected":["#.utf8
            for (place, rejection) in rejected.enumerated() {
                if place > 0 { json.append(UInt8(ascii: ",")) }
                json += #"{"index":\#(rejection.index),"field":"\#(rejection.field.name)","reason":""#.utf8
                json += rejection.reason.rawValue.utf8
                json += #""}"#.utf8
            }
            json.append(UInt8(ascii: "]"))
        }
        if rejectedCount > rejected.count { json += #","rejectedCount":\#(rejectedCount)"#.utf8 }
        json.append(UInt8(ascii: "}"))
        return json
    }
}
