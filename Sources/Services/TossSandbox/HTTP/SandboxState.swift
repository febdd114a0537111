import Platform

/// All that a sandbox knows.
struct SandboxState: Codable, Sendable {
    static let maxFaults = 1_000

    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        /// Comes this late, or never, as far as the caller is concerned.
        var isHeld = false
        /// What changed, to be told by a webhook.
        var changed: SandboxPayment?
    }

    var books = SandboxBooks()
    var answers: [String: RememberedAnswer] = [:]
    var faults: [SandboxFault.Call: [SandboxFault]] = [:]

    /// One call that moves money, under its key and with its fault.
    ///
    /// - Parameter key: of its address and its Idempotency-Key, nil where it has none.
    mutating func perform(
        _ call: SandboxFault.Call, key: String?, body: [UInt8], now: Int64,
        _ move: (inout SandboxBooks) throws(SandboxError) -> SandboxPayment
    ) -> Answer {
        if let key, let known = answers[key], now - known.firstUsedAt < RememberedAnswer.lifetimeMs {
            guard known.body == body else {
                return Self.answer(
                    SandboxError(400, "INVALID_IDEMPOTENCY_KEY", "the key was used for another request"))
            }
            return Answer(status: known.status, body: known.answer)
        }
        let fault = faults[call]?.isEmpty == false ? faults[call]!.removeFirst() : nil
        var real: Answer
        if let refusal = fault?.refusal {
            real = Self.answer(refusal)
        } else {
            do {
                let payment = try move(&books)
                real = Answer(status: 200, body: payment.json.bytes, changed: payment)
            } catch {
                real = Self.answer(error)
            }
        }
        if let key, fault?.isRemembered ?? true {
            remember(real, key: key, body: body, now: now)
        }
        switch fault {
        case .timeoutAfter, .timeoutBefore: real.isHeld = true
        case .errorAfter:
            let changed = real.changed
            real = Self.answer(SandboxError(500, "FAILED_INTERNAL_SYSTEM_PROCESSING", "asked for by a test"))
            real.changed = changed
        default: break
        }
        return real
    }

    private mutating func remember(_ answer: Answer, key: String, body: [UInt8], now: Int64) {
        if answers.count >= RememberedAnswer.maxAnswers {
            answers = answers.filter { now - $0.value.firstUsedAt < RememberedAnswer.lifetimeMs }
            if answers.count >= RememberedAnswer.maxAnswers {
                let oldest = answers.min { $0.value.firstUsedAt < $1.value.firstUsedAt }!
                answers[oldest.key] = nil
            }
        }
        answers[key] = RememberedAnswer(body: body, status: answer.status, answer: answer.body, firstUsedAt: now)
    }

    static func answer(_ error: SandboxError) -> Answer {
        Answer(status: error.status, body: error.json.bytes)
    }
}
