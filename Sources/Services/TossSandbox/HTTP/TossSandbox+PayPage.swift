import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Platform

/// The page on which a person pays: what Toss's browser SDK opens.
extension TossSandbox {
    private static let fields = ["orderId", "amount", "orderName", "successUrl", "failUrl", "clientKey", "customerKey"]

    func addPayPage(to router: Router<BasicRequestContext>) {
        router.get("pay") { [self] request, _ in
            let asked = try Self.parameters(request.uri.query, known: Self.fields)
            guard asked["clientKey"] == configuration.clientKey else {
                return page(.unauthorized, "This shop is not known", "<p>The client key is another one.</p>")
            }
            guard let orderId = asked["orderId"], let amount = asked["amount"].flatMap({ Int64($0) }),
                let success = Self.webURL(asked["successUrl"]), let fail = Self.webURL(asked["failUrl"])
            else {
                return page(
                    .badRequest, "Nothing to pay",
                    "<p>orderId, amount and the http(s) addresses successUrl and failUrl are needed.</p>")
            }
            let name = asked["orderName"] ?? orderId
            let made = await with { state, now -> Result<SandboxPayment, SandboxError> in
                Result { () throws(SandboxError) in
                    try state.books.request(
                        orderId: orderId, orderName: name, amount: amount, key: Self.paymentKey(),
                        successUrl: success.absoluteString, failUrl: fail.absoluteString, now: now)
                }
            }
            switch made {
            case .failure(let error):
                return page(.badRequest, "Nothing to pay", "<p>\(Self.escaped(error.message))</p>")
            case .success(let payment):
                return page(.ok, "Pay \(amount) \(payment.currency)", Self.form(payment))
            }
        }
        router.post("pay") { [self] request, _ in
            let body = try await Self.body(of: request)
            // Where the browser goes then isn't the form's to say.
            let asked = try Self.parameters(String(decoding: body, as: UTF8.self), known: ["paymentKey", "choice"])
            let payment = await with { [key = asked["paymentKey"] ?? ""] state, now in state.books.find(key, now: now) }
            guard let payment, let success = Self.webURL(payment.successUrl), let fail = Self.webURL(payment.failUrl)
            else { return page(.badRequest, "Nothing to pay", "<p>No pay page was opened for it.</p>") }
            let key = payment.paymentKey
            let pays = asked["choice"] == "pay"
            let result = await with { state, now -> Result<SandboxPayment, SandboxError> in
                Result { () throws(SandboxError) in
                    pays
                        ? try state.books.authenticate(key, now: now)
                        : try state.books.abort(
                            key, code: "PAY_PROCESS_CANCELED", message: "the buyer gave up", now: now)
                }
            }
            switch result {
            case .failure(let error): return page(.gone, "Too late", "<p>\(Self.escaped(error.message))</p>")
            case .success(let payment):
                if !pays { webhooks.tell(of: payment) }
                let target =
                    pays
                    ? Self.appending(
                        [
                            ("paymentType", "NORMAL"), ("paymentKey", payment.paymentKey),
                            ("orderId", payment.orderId), ("amount", String(payment.amount)),
                        ], to: success)
                    : Self.appending(
                        [
                            ("code", payment.failure?.code ?? ""), ("message", payment.failure?.message ?? ""),
                            ("orderId", payment.orderId),
                        ], to: fail)
                return Response(status: .seeOther, headers: [.location: target, .cacheControl: "no-store"])
            }
        }
    }

    private static func parameters(_ query: String?, known: [String]) throws -> QueryParameters {
        do { return try QueryParameters(query: query, known: known) } catch {
            throw HTTPError(.badRequest, message: error.detail)
        }
    }

    /// Of http or https with a host: anything else, such as `javascript:`, is no place to go back to.
    static func webURL(_ text: String?) -> URL? {
        guard let text, let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()),
            url.host()?.isEmpty == false, url.user() == nil
        else { return nil }
        return url
    }

    static func appending(_ pairs: [(String, String)], to url: URL) -> String {
        url.appending(queryItems: pairs.map { URLQueryItem(name: $0.0, value: $0.1) }).absoluteString
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }

    private static func form(_ payment: SandboxPayment) -> String {
        """
        <p>\(escaped(payment.orderName))</p>
        <p class="amount">\(payment.amount) \(escaped(payment.currency))</p>
        <form method="post" action="/pay">
        <input type="hidden" name="paymentKey" value="\(escaped(payment.paymentKey))">
        <button name="choice" value="pay">Pay</button>
        <button name="choice" value="fail" class="quiet">Fail</button>
        </form>
        <p class="note">Toss sandbox: no money moves.</p>
        """
    }

    private func page(_ status: HTTPResponse.Status, _ title: String, _ body: String) -> Response {
        let html = """
            <!doctype html><html lang="en"><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:12vh auto;padding:0 1rem}
            .amount{font-size:2rem;margin:.5rem 0}.note{color:#666}
            button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.5rem;background:#0064ff;color:#fff}
            .quiet{background:#e5e8eb;color:#333}</style>
            <h1>\(Self.escaped(title))</h1>
            \(body)
            </html>

            """
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
                .xContentTypeOptions: "nosniff", HTTPField.Name("Referrer-Policy")!: "no-referrer",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
