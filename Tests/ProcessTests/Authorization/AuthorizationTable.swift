/// Who may do what: each route of each service, and the status that each kind of person is answered with.
///
/// `owner` is whose the thing is; `other` is signed in and a stranger to it. `service` has Payments' own token below
/// `/internal/reservations`, elsewhere one of role service by the key of Users. They ask from left to right, so that
/// who may not has tried before anybody has changed anything.
enum AuthorizationTable {
    enum Person: Int, CaseIterable, Sendable {
        case nobody, other, analyst, service, owner, admin
    }

    struct Row: Sendable {
        var method: String
        var path: String
        var statuses: [Int]

        var route: String { "\(method) \(path)" }
        func status(_ person: Person) -> Int { statuses[person.rawValue] }
    }

    static let rows: [Row] = text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 2 + Person.allCases.count else { return nil }
        return Row(method: String(words[0]), path: String(words[1]), statuses: words.dropFirst(2).map { Int($0) ?? 0 })
    }

    static func row(_ route: String) -> Row? { rows.first { $0.route == route } }

    private static let text = """
                                                       nobody other analyst service owner admin
        -- Everybody's
        GET    /health                                     200   200   200   200   200   200
        GET    /ready                                      200   200   200   200   200   200
        GET    /metrics                                    200   200   200   200   200   200
        GET    /openapi.json                               200   200   200   200   200   200
        GET    /.well-known/jwks.json                      200   200   200   200   200   200

        -- Beacons
        POST   /api/analytics/track                        202   202   202   202   202   202
        GET    /api/analytics/track                        200   200   200   200   200   200

        -- Numbers: the tokens of buyers aren't meant for it
        GET    /api/analytics/artist/{artistId}/traffic    401   401   200   403   401   200
        GET    /api/analytics/event/{eventId}/traffic      401   401   200   403   401   200
        GET    /api/analytics/event/{eventId}/funnel       401   401   200   403   401   200
        GET    /api/analytics/traffic                      401   401   200   403   401   200
        GET    /api/analytics/revenue/stats                401   401   200   403   401   200
        GET    /api/analytics/revenue/daily                401   401   200   403   401   200
        GET    /api/analytics/revenue/monthly              401   401   200   403   401   200
        GET    /api/analytics/dashboard                    401   401   200   403   401   200
        GET    /api/analytics/top                          401   401   200   403   401   200
        GET    /api/analytics/export                       401   401   200   403   401   200
        GET    /api/analytics/realtime                     401   401   200   403   401   200

        -- The catalogue
        GET    /api/events                                 200   200   200   200   200   200
        POST   /api/events                                 401   403   403   403   403   201
        GET    /api/events/search                          200   200   200   200   200   200
        GET    /api/events/keywords                        401   403   403   403   403   200
        PUT    /api/events/keywords                        401   403   403   403   403   200
        GET    /api/events/{id}                            200   200   200   200   200   200
        PUT    /api/events/{id}                            401   403   403   403   403   200
        GET    /api/events/{id}/layout                     200   200   200   200   200   200
        PUT    /api/events/{id}/layout                     401   403   403   403   403   200
        GET    /api/events/{id}/images                     200   200   200   200   200   200
        POST   /api/events/{id}/images                     401   403   403   403   403   201
        DELETE /api/events/{id}/images/{imageId}           401   403   403   403   403   204
        DELETE /api/events/{id}                            401   403   403   403   403   204
        GET    /api/artists                                200   200   200   200   200   200
        POST   /api/artists                                401   403   403   403   403   201
        GET    /api/artists/{id}                           200   200   200   200   200   200
        PUT    /api/artists/{id}                           401   403   403   403   403   200
        GET    /api/venues                                 200   200   200   200   200   200
        POST   /api/venues                                 401   403   403   403   403   201
        GET    /api/venues/{id}                            200   200   200   200   200   200
        PUT    /api/venues/{id}                            401   403   403   403   403   200
        GET    /api/categories                             200   200   200   200   200   200
        POST   /api/categories                             401   403   403   403   403   201
        GET    /api/categories/{id}                        200   200   200   200   200   200
        PUT    /api/categories/{id}                        401   403   403   403   403   200
        DELETE /api/categories/{id}                        401   403   403   403   403   204
        GET    /internal/events/{id}                       200   200   200   200   200   200

        -- Seats and tickets: a stranger's are not there
        GET    /api/seats/event/{eventId}                  200   200   200   403   200   200
        POST   /api/reservations                           401   201   201   403   201   201
        GET    /api/reservations/my                        401   200   200   403   200   200
        GET    /api/reservations/user/{userId}             401   404   404   403   200   200
        GET    /api/reservations/{id}                      401   404   404   403   200   200
        GET    /api/reservations/{id}/cancellation         401   404   404   403   200   200
        GET    /api/reservations/{id}/tickets              401   404   404   403   200   200
        DELETE /api/reservations/{id}                      401   404   404   403   200   200
        GET    /api/tickets/{id}                           401   404   404   403   200   200
        GET    /api/tickets/{id}/qr                        401   404   404   403   200   200
        POST   /api/tickets/check-in                       401   403   403   403   403   200
        GET    /internal/reservations/{id}                 401   401   401   200   401   401
        POST   /internal/reservations/{id}/confirming      401   401   401   200   401   401
        POST   /internal/reservations/{id}/release         401   401   401   200   401   401
        POST   /internal/reservations/{id}/returned        401   401   401   200   401   401
        POST   /internal/reservations/{id}/sold            401   401   401   200   401   401

        -- Money: only the buyer pays; only an admin gives back
        POST   /api/payments/toss/request                  401   404   404   403   200   404
        POST   /api/payments/toss/confirm                  401   404   404   403   200   404
        POST   /api/payments/toss/webhook                  200   200   200   200   200   200
        GET    /api/payments                               401   200   200   403   200   200
        GET    /api/payments/{id}                          401   404   404   403   200   200
        POST   /api/payments/{id}/refund                   401   403   403   403   403   202
        POST   /api/payments/{id}/refunds/{refundId}/retry 401   403   403   403   403   409

        -- People: a token leads to its own account only
        POST   /api/users/register                         202   202   202   202   202   202
        POST   /api/users/login                            200   200   200   200   200   200
        GET    /api/users/verify                           401   200   200   403   200   200
        GET    /api/users/profile                          401   200   200   403   200   200
        PUT    /api/users/profile                          401   200   200   403   200   200
        POST   /api/users/email/verify                     400   400   400   400   400   400
        POST   /api/users/email/resend                     401   202   202   403   202   202
        POST   /api/users/password/forgot                  202   202   202   202   202   202
        POST   /api/users/password/reset                   400   400   400   400   400   400
        GET    /api/users/google                           404   404   404   404   404   404
        GET    /api/users/google/callback                  404   404   404   404   404   404
        GET    /api/users/google/nonce                     404   404   404   404   404   404
        POST   /api/users/google/exchange                  400   400   400   400   400   400
        POST   /api/users/google/link                      401   404   404   403   404   404
        POST   /api/users/google/unlink                    401   204   204   403   204   403
        GET    /api/users/providers                        200   200   200   200   200   200
        POST   /api/users/google-login                     404   404   404   404   404   404
        POST   /api/users/refresh                          401   401   401   401   200   401
        PUT    /api/users/password                         401   204   204   403   204   403
        POST   /api/users/logout                           204   204   204   204   204   204
        """
}
