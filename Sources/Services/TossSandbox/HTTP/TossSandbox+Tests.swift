import Foundation
import Hummingbird
import NIOCore
import Platform

/// What a test asks of the sandbox, below `/sandbox`: to pay without a browser, to go wrong, to show its books.
extension TossSandbox {
    func addTestRoutes(to router: Router<BasicRequestContext>) {
        // A payment that a buyer has authenticated, as the pay page makes one.
        router.post("sandbox/payments") { [self] request, _ in
            try Self.requireJSON(request)
            guard let members = Self.object(try await Self.body(of: request)),
                case .string(let orderId)? = members["orderId"], case .integer(let amount)? = members["amount"]
            else { return await respond(SandboxState.answer(.invalid("orderId and amount are needed"))) }
            var name = "test"
            if case .string(let text)? = members["orderName"] { name = text }
            return await respond(
                await with { [name] state, now in
                    do throws(SandboxError) {
                        let key = Self.paymentKey()
                        _ = try state.books.request(
                            orderId: orderId, orderName: name, amount: amount, key: key, now: now)
                        let payment = try state.books.authenticate(key, now: now)
                        return SandboxState.Answer(status: 200, body: payment.json.bytes)
                    } catch {
                        return SandboxState.answer(error)
                    }
                })
        }
        // {"call":"confirm","fault":"timeout_after","times":1}, {"call":"confirm","fault":"none"}, which takes back those
        // that are still to come, or {"webhooks":"duplicate"}
        router.post("sandbox/faults") { [self] request, _ in
            try Self.requireJSON(request)
            guard let members = Self.object(try await Self.body(of: request)) else { throw HTTPError(.badRequest) }
            if case .string(let text)? = members["webhooks"] {
                guard let order = SandboxWebhooks.Order(rawValue: text) else { throw HTTPError(.badRequest) }
                webhooks.set(order)
                return Response(status: .noContent)
            }
            guard case .string(let callText)? = members["call"], let call = SandboxFault.Call(rawValue: callText),
                case .string(let faultText)? = members["fault"]
            else { throw HTTPError(.badRequest) }
            if faultText == "none" {
                await with { state, _ in state.faults[call] = nil }
                return Response(status: .noContent)
            }
            guard let fault = SandboxFault(rawValue: faultText) else { throw HTTPError(.badRequest) }
            var times = 1
            if case .integer(let value)? = members["times"], (1...Int64(SandboxState.maxFaults)).contains(value) {
                times = Int(value)
            }
            await with { [times] state, _ in
                let room = SandboxState.maxFaults - (state.faults[call]?.count ?? 0)
                state.faults[call, default: []] += Array(repeating: fault, count: min(times, room))
            }
            return Response(status: .noContent)
        }
        router.get("sandbox/books") { [self] _, _ in
            let money = await with { state, _ in state.books.money }
            var json = JSONWriter()
            json.object { json in
                json.member("orders", array: money.sorted { $0.key < $1.key }) { json, order in
                    json.object { json in
                        json.member("orderId", order.key)
                        json.member("taken", order.value.taken)
                        json.member("givenBack", order.value.givenBack)
                    }
                }
            }
            return await respond(SandboxState.Answer(status: 200, body: json.bytes))
        }
    }

    /// A page that a browser has open may send forms here, but no JSON without asking first.
    private static func requireJSON(_ request: Request) throws {
        let type = request.headers[.contentType]?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces)
        guard type?.lowercased() == "application/json" else {
            throw HTTPError(.unsupportedMediaType, message: "Content-Type must be application/json")
        }
    }
}
