import Platform
import Testing

@testable import Query

@Suite struct ParametersTests {
    private func rejection<Value>(_ body: () throws -> Value) -> InvalidParameter? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? InvalidParameter
        }
    }

    private func parameters(_ query: String?) throws(InvalidParameter) -> QueryParameters {
        try QueryParameters(query: query, known: ["startDate", "artistId", "limit", "currency", "by"])
    }

    @Test func namesAndValuesAreDecoded() throws {
        #expect(try parameters("artistId=%EC%95%84%EC%9D%B4%EC%9C%A0+1%2B1")["artistId"] == "아이유 1+1")
        #expect(try parameters(nil)["artistId"] == nil)
        #expect(try parameters("artistId=&&limit")["artistId"] == nil)
        #expect(try parameters("artistId=a=b")["artistId"] == "a=b")
    }

    @Test func unknownNamesAreRefusedWithTheKnownOnes() {
        #expect(
            rejection { try parameters("from=2025-12-01") }
                == InvalidParameter(
                    field: "from",
                    detail: "from is not known here; allowed: startDate, artistId, limit, currency, by",
                    allowed: ["startDate", "artistId", "limit", "currency", "by"]))
        #expect(
            rejection { try QueryParameters(query: "a=1", known: []) }
                == InvalidParameter(field: "a", detail: "a is not known here: no parameters are taken"))
    }

    @Test(arguments: [
        ("limit=1&limit=2", "limit", "limit is given twice"),
        ("artistId=%E", "artistId", "artistId is not percent-encoded UTF-8"),
        ("artistId=%ff", "artistId", "artistId is not percent-encoded UTF-8"),
        ("%zz=1", "query", "a parameter's name is not percent-encoded UTF-8"),
    ])
    func brokenQueriesAreRefused(_ query: String, _ field: String, _ detail: String) {
        #expect(rejection { try parameters(query) } == InvalidParameter(field: field, detail: detail))
    }

    @Test func longQueriesAreRefused() {
        let longest = "artistId=" + String(repeating: "a", count: QueryParameters.maxQueryBytes - 9)
        #expect(rejection { try parameters(longest) } == nil)
        #expect(rejection { try parameters(longest + "a") }?.field == "query")
    }

    @Test(arguments: ["2025-2-1", "2025-02-30", "yesterday", "2025-12-01T00:00Z"])
    func daysHaveOneForm(_ text: String) {
        #expect(
            rejection { try parameters("startDate=\(text)").day("startDate") }
                == InvalidParameter(field: "startDate", detail: "startDate must be a day such as 2025-12-01"))
    }

    @Test(arguments: ["0", "101", "-1", "+5", "1.5", "ten", "99999999999999999999"])
    func numbersHaveBounds(_ text: String) {
        #expect(
            rejection {
                try QueryParameters([("limit", text)], known: ["limit"]).integer("limit", in: 1...100, default: 10)
            }
                == InvalidParameter(field: "limit", detail: "limit must be a whole number from 1 to 100"))
    }

    @Test func identifiersAreThoseThatBeaconsMayCarry() throws {
        let longest = String(repeating: "가", count: 42) + "ab"
        #expect(try QueryParameters.checkedIdentifier(longest, "artistId") == longest)
        for wrong in [longest + "c", "", "a\nb", "a\u{7f}"] {
            #expect(
                rejection { try QueryParameters.checkedIdentifier(wrong, "artistId") }?.detail
                    == "artistId must be 1 to 128 bytes without control characters")
        }
    }

    @Test(arguments: ["krw", "KRWX", "₩₩₩"])
    func currenciesAreThreeCapitals(_ text: String) {
        #expect(
            rejection { try QueryParameters([("currency", text)], known: ["currency"]).currency() }
                == InvalidParameter(field: "currency", detail: "currency must be three capital letters such as KRW"))
    }

    @Test func topNeedsToKnowByWhat() throws {
        func top(_ query: String) throws -> TopQuestion {
            try TopQuestion(QueryParameters(query: query, known: TopQuestion.parameterNames))
        }
        #expect(try top("by=path&limit=3") == TopQuestion(by: .path, limit: 3))
        #expect(
            rejection { try top("") }?.detail
                == "by is missing; it must be one of artist, event, path, referrer, country, device")
        #expect(
            rejection { try top("by=city") }?.detail
                == "by must be one of artist, event, path, referrer, country, device")
        #expect(
            rejection { try top("by=path&metric=revenue") }
                == InvalidParameter(
                    field: "metric", detail: "metric must be one of pageViews, uniqueVisitors",
                    allowed: ["pageViews", "uniqueVisitors"]))
        #expect(rejection { try top("by=artist&artistId=a") }?.field == "artistId")
    }

    @Test func revenueHasNoHours() {
        #expect(
            rejection {
                try RevenueQuestion(QueryParameters(query: "period=hourly", known: RevenueQuestion.parameterNames))
            }
                == InvalidParameter(
                    field: "period", detail: "period must be one of daily, weekly, monthly",
                    allowed: ["daily", "weekly", "monthly"]))
    }
}
