extension QueryAPI {
    /// What `/openapi.json` answers. Written by hand; a test holds it against the routes and their parameters.
    package static let openAPI = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "Tiketi analytics: questions",
            "version": "1",
            "description": "A token needs the role admin or analyst. Days, weeks (from Monday) and months are those \#
        of the reporting time zone, or of `timezone`. A week or month at the edge of the range counts only its days \#
        inside the range, so that sums agree at every granularity. Numbers of money are whole minor units."
          },
          "security": [{"bearer": []}],
          "paths": {
            "/api/analytics/artist/{artistId}/traffic": {
              "get": {
                "summary": "Traffic of an artist",
                "parameters": [
                  {"name": "artistId", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/granularity"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {
                      "application/json": {
                        "schema": {
                          "allOf": [
                            {
                              "type": "object",
                              "required": ["artistId", "artistName"],
                              "properties": {"artistId": {"type": "string"}, "artistName": {"type": ["string", \#
        "null"]}}
                            },
                            {"$ref": "#/components/schemas/Traffic"}
                          ]
                        }
                      }
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/event/{eventId}/traffic": {
              "get": {
                "summary": "Traffic of an event",
                "parameters": [
                  {"name": "eventId", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/granularity"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {
                      "application/json": {
                        "schema": {
                          "allOf": [
                            {
                              "type": "object",
                              "required": ["eventId", "eventName"],
                              "properties": {"eventId": {"type": "string"}, "eventName": {"type": ["string", "null"]}}
                            },
                            {"$ref": "#/components/schemas/Traffic"}
                          ]
                        }
                      }
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/event/{eventId}/funnel": {
              "get": {
                "summary": "From looking at an event to paying for it",
                "description": "Each step counts what happened in the bucket, and the different visitors it \#
        happened to. Reservations and payments have a visitor where the message says so.",
                "parameters": [
                  {"name": "eventId", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/granularity"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Funnel"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/traffic": {
              "get": {
                "summary": "Traffic of the whole site",
                "parameters": [
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/granularity"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Traffic"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/revenue/stats": {
              "get": {
                "summary": "Revenue",
                "parameters": [
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"name": "period", "in": "query", "schema": {"enum": ["daily", "weekly", "monthly"], "default": \#
        "daily"}},
                  {"$ref": "#/components/parameters/currency"},
                  {"$ref": "#/components/parameters/artistId"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Revenue"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/revenue/daily": {
              "get": {
                "summary": "Revenue by day",
                "parameters": [
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/currency"},
                  {"$ref": "#/components/parameters/artistId"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Revenue"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/revenue/monthly": {
              "get": {
                "summary": "Revenue by month",
                "parameters": [
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/currency"},
                  {"$ref": "#/components/parameters/artistId"},
                  {"$ref": "#/components/parameters/compare"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Revenue"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/dashboard": {
              "get": {
                "summary": "Today and the last thirty days at a glance",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Dashboard"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/export": {
              "get": {
                "summary": "Everything, as a file",
                "description": "The rows of any answer, or raw beacons (folded ones, repeats left out), streamed \#
        without a bound on their number. Which parameters may be given beside `of` and `format` depends on `of`: \#
        those of the answer. An answer that fails midway breaks off without its last chunk.",
                "parameters": [
                  {
                    "name": "of",
                    "in": "query",
                    "schema": {"enum": ["events", "traffic", "revenue", "top", "dashboard", "funnel"], "default": \#
        "events"}
                  },
                  {"name": "format", "in": "query", "schema": {"enum": ["csv", "ndjson"], "default": "csv"}},
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {"$ref": "#/components/parameters/granularity"},
                  {"$ref": "#/components/parameters/artistId"},
                  {
                    "name": "eventId",
                    "in": "query",
                    "description": "For of=events, traffic and funnel",
                    "schema": {"$ref": "#/components/schemas/Id"}
                  },
                  {
                    "name": "period",
                    "in": "query",
                    "description": "For of=revenue",
                    "schema": {"enum": ["daily", "weekly", "monthly"], "default": "daily"}
                  },
                  {"$ref": "#/components/parameters/currency"},
                  {
                    "name": "by",
                    "in": "query",
                    "description": "For of=top",
                    "schema": {"enum": ["artist", "event", "path", "referrer", "country", "device"]}
                  },
                  {
                    "name": "metric",
                    "in": "query",
                    "description": "For of=top",
                    "schema": {"enum": ["pageViews", "uniqueVisitors", "sessions", "revenue"]}
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "description": "For of=events, all unless given, and of=top, up to 10,000",
                    "schema": {"type": "integer", "minimum": 1}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The rows; gzip for who accepts it, each piece readable as it comes",
                    "headers": {
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Content-Encoding": {"schema": {"enum": ["gzip"]}},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {
                      "text/csv": {"schema": {"type": "string"}},
                      "application/x-ndjson": {"schema": {"type": "string"}}
                    }
                  }
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/realtime": {
              "get": {
                "summary": "The present, once a second",
                "description": "Server-Sent Events; comments keep the line open while there is no answer. Ends \#
        after an hour: come again with a fresh token. 503 where too many look at once.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "Events",
                    "headers": {"Cache-Control": {"$ref": "#/components/headers/CacheControl"}},
                    "content": {
                      "text/event-stream": {
                        "schema": {
                          "type": "object",
                          "required": ["data"],
                          "properties": {
                            "data": {
                              "type": "string",
                              "contentMediaType": "application/json",
                              "contentSchema": {"$ref": "#/components/schemas/Realtime"}
                            }
                          }
                        }
                      }
                    }
                  }
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            },
            "/api/analytics/top": {
              "get": {
                "summary": "Which were most",
                "description": "Artists and events are ranked from rollups. Paths, referrers (by host), countries \#
        and devices, pageViews and uniqueVisitors only, come from daily breakdowns that keep the first values of a \#
        day, and from raw beacons where that says more and 31 days at most are to be read; in another time zone \#
        from raw beacons alone, over 31 days at most.",
                "parameters": [
                  {"$ref": "#/components/parameters/startDate"},
                  {"$ref": "#/components/parameters/endDate"},
                  {"$ref": "#/components/parameters/timezone"},
                  {
                    "name": "by",
                    "in": "query",
                    "required": true,
                    "schema": {"enum": ["artist", "event", "path", "referrer", "country", "device"]}
                  },
                  {
                    "name": "metric",
                    "in": "query",
                    "schema": {"enum": ["pageViews", "uniqueVisitors", "sessions", "revenue"], "default": "pageViews"}
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
                  },
                  {"$ref": "#/components/parameters/artistId"},
                  {"$ref": "#/components/parameters/currency"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "headers": {
                      "ETag": {"$ref": "#/components/headers/ETag"},
                      "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
                      "Vary": {"$ref": "#/components/headers/Vary"}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Top"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503, 504]
              }
            }
          },
          "components": {
            "parameters": {
              "startDate": {
                "name": "startDate",
                "in": "query",
                "description": "First day; 30 days before endDate unless given, for monthly answers 12 months",
                "schema": {"type": "string", "format": "date"}
              },
              "endDate": {
                "name": "endDate",
                "in": "query",
                "description": "Last day, inclusive; today unless given",
                "schema": {"type": "string", "format": "date"}
              },
              "timezone": {
                "name": "timezone",
                "in": "query",
                "description": "An IANA name whose offset is whole hours; the reporting time zone unless given",
                "schema": {"type": "string"}
              },
              "granularity": {
                "name": "granularity",
                "in": "query",
                "schema": {"enum": ["hourly", "daily", "weekly", "monthly"], "default": "daily"}
              },
              "currency": {
                "name": "currency",
                "in": "query",
                "schema": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "KRW"}
              },
              "compare": {
                "name": "compare",
                "in": "query",
                "description": "Beside the total that of an earlier range: as many days just before, or the same \#
        days a year before",
                "schema": {"enum": ["previous", "year"]}
              },
              "artistId": {"name": "artistId", "in": "query", "schema": {"$ref": "#/components/schemas/Id"}}
            },
            "schemas": {
              "Id": {"type": "string", "minLength": 1, "maxLength": 128},
              "Period": {
                "type": "object",
                "required": ["start", "end"],
                "properties": {"start": {"type": "string", "format": "date"}, "end": {"type": "string", "format": \#
        "date"}}
              },
              "AsOf": {
                "type": "string",
                "format": "date-time",
                "description": "Every beacon acknowledged before it is counted"
              },
              "Complete": {"type": "boolean", "description": "False while the last bucket is still filling"},
              "TrafficNumbers": {
                "type": "object",
                "required": ["pageViews", "uniqueVisitors", "avgSessionDuration", "sessions"],
                "properties": {
                  "pageViews": {"type": "integer"},
                  "uniqueVisitors": {"type": "integer"},
                  "avgSessionDuration": {"type": "integer", "description": "Whole seconds"},
                  "sessions": {"type": "integer"}
                }
              },
              "Traffic": {
                "type": "object",
                "required": ["period", "granularity", "traffic", "total", "asOf", "complete"],
                "properties": {
                  "period": {"$ref": "#/components/schemas/Period"},
                  "granularity": {"enum": ["hourly", "daily", "weekly", "monthly"]},
                  "traffic": {
                    "type": "array",
                    "items": {
                      "allOf": [
                        {
                          "type": "object",
                          "required": ["date"],
                          "properties": {
                            "date": {
                              "type": "string",
                              "description": "2025-12-01, 2025-12-01T13:00+09:00, 2025-W49 or 2025-12"
                            }
                          }
                        },
                        {"$ref": "#/components/schemas/TrafficNumbers"}
                      ]
                    }
                  },
                  "total": {"$ref": "#/components/schemas/TrafficNumbers"},
                  "comparison": {"$ref": "#/components/schemas/Comparison"},
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"$ref": "#/components/schemas/Complete"}
                }
              },
              "Revenue": {
                "type": "object",
                "required": ["period", "currency", "data", "summary", "asOf", "complete"],
                "properties": {
                  "period": {"enum": ["daily", "weekly", "monthly"]},
                  "currency": {"type": "string"},
                  "data": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["date", "revenue", "ticketsSold", "refunds", "avgTicketPrice", "topArtist"],
                      "properties": {
                        "date": {"type": "string"},
                        "month": {"type": "string", "description": "In monthly answers, as date"},
                        "revenue": {"type": "integer", "description": "Payments minus refunds"},
                        "ticketsSold": {"type": "integer", "description": "Without those refunded"},
                        "refunds": {"type": "integer"},
                        "avgTicketPrice": {"type": ["integer", "null"]},
                        "topArtist": {
                          "oneOf": [
                            {"type": "null"},
                            {
                              "type": "object",
                              "required": ["id", "name", "revenue"],
                              "properties": {
                                "id": {"type": "string"},
                                "name": {"type": ["string", "null"]},
                                "revenue": {"type": "integer"}
                              }
                            }
                          ]
                        }
                      }
                    }
                  },
                  "summary": {
                    "type": "object",
                    "required": ["totalRevenue", "avgRevenue", "growthRate"],
                    "properties": {
                      "totalRevenue": {"type": "integer"},
                      "avgRevenue": {"type": "integer", "description": "A bucket of the range"},
                      "avgMonthlyRevenue": {"type": "integer", "description": "In monthly answers, as avgRevenue"},
                      "growthRate": {
                        "type": ["number", "null"],
                        "description": "Percent change of the last complete period on the one before, both whole in \#
        the range"
                      }
                    }
                  },
                  "comparison": {"$ref": "#/components/schemas/Comparison"},
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"$ref": "#/components/schemas/Complete"}
                }
              },
              "Comparison": {
                "type": "object",
                "description": "Where compare was given: the total of the earlier range, and by how many percent \#
        this range's is above it",
                "required": ["period", "total", "change"],
                "properties": {
                  "period": {"$ref": "#/components/schemas/Period"},
                  "total": {"type": "object", "additionalProperties": {"type": "integer"}},
                  "change": {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
                }
              },
              "Compared": {
                "type": "object",
                "required": ["value", "previous", "change"],
                "properties": {
                  "value": {"type": "integer"},
                  "previous": {"type": "integer"},
                  "change": {"type": ["number", "null"], "description": "Percent"}
                }
              },
              "Totals": {
                "type": "object",
                "required": [
                  "period", "pageViews", "uniqueVisitors", "avgSessionDuration", "sessions", "currency", "revenue",
                  "ticketsSold", "otherCurrencies"
                ],
                "properties": {
                  "period": {"$ref": "#/components/schemas/Period"},
                  "pageViews": {"$ref": "#/components/schemas/Compared"},
                  "uniqueVisitors": {"$ref": "#/components/schemas/Compared"},
                  "avgSessionDuration": {"$ref": "#/components/schemas/Compared"},
                  "sessions": {"$ref": "#/components/schemas/Compared"},
                  "currency": {"const": "KRW"},
                  "revenue": {"$ref": "#/components/schemas/Compared"},
                  "ticketsSold": {"$ref": "#/components/schemas/Compared"},
                  "otherCurrencies": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["currency", "revenue", "ticketsSold"],
                      "properties": {
                        "currency": {"type": "string"},
                        "revenue": {"$ref": "#/components/schemas/Compared"},
                        "ticketsSold": {"$ref": "#/components/schemas/Compared"}
                      }
                    }
                  }
                }
              },
              "Named": {
                "type": "object",
                "required": ["rank", "id", "name", "pageViews"],
                "properties": {
                  "rank": {"type": "integer"},
                  "id": {"type": "string"},
                  "name": {"type": ["string", "null"]},
                  "pageViews": {"type": "integer"}
                }
              },
              "Dashboard": {
                "type": "object",
                "required": [
                  "today", "last30Days", "topArtists", "topEvents", "visitorsLast5Minutes", "funnel", "freshness", \#
        "asOf",
                  "complete"
                ],
                "properties": {
                  "today": {"$ref": "#/components/schemas/Totals"},
                  "last30Days": {"$ref": "#/components/schemas/Totals"},
                  "topArtists": {"type": "array", "items": {"$ref": "#/components/schemas/Named"}},
                  "topEvents": {"type": "array", "items": {"$ref": "#/components/schemas/Named"}},
                  "visitorsLast5Minutes": {"type": ["integer", "null"], "description": "Null where Redis can't be \#
        reached"},
                  "funnel": {
                    "allOf": [{"$ref": "#/components/schemas/FunnelNumbers"}],
                    "description": "Of the last thirty days"
                  },
                  "freshness": {"$ref": "#/components/schemas/Freshness"},
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"$ref": "#/components/schemas/Complete"}
                }
              },
              "Freshness": {
                "type": "object",
                "required": ["asOf", "pendingBatches", "oldestPending"],
                "properties": {
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "pendingBatches": {"type": "integer"},
                  "oldestPending": {"type": ["string", "null"], "format": "date-time"}
                }
              },
              "FunnelNumbers": {
                "type": "object",
                "required": ["views", "seatViews", "reservations", "payments"],
                "properties": {
                  "views": {"type": "integer"},
                  "seatViews": {"type": "integer"},
                  "reservations": {"type": "integer", "description": "Confirmed"},
                  "payments": {"type": "integer", "description": "In any currency"}
                }
              },
              "FunnelVisitors": {
                "type": "object",
                "description": "Different visitors; null for hours and in another time zone than the reporting one",
                "required": [
                  "viewers", "seatViewers", "reservers", "payers", "reservationsWithoutVisitor", \#
        "paymentsWithoutVisitor"
                ],
                "properties": {
                  "viewers": {"type": ["integer", "null"], "description": "Of page views or seat views"},
                  "seatViewers": {"type": ["integer", "null"]},
                  "reservers": {
                    "type": ["integer", "null"],
                    "description": "With a reservation confirmed in the bucket, canceled later or not"
                  },
                  "payers": {
                    "type": ["integer", "null"],
                    "description": "With a payment in the bucket, refunded later or not"
                  },
                  "reservationsWithoutVisitor": {
                    "type": ["integer", "null"],
                    "description": "Reservations whose messages had no visitorId: counted in reservations, in no \#
        number of visitors"
                  },
                  "paymentsWithoutVisitor": {"type": ["integer", "null"], "description": "Likewise payments"}
                }
              },
              "Funnel": {
                "type": "object",
                "required": ["eventId", "eventName", "period", "granularity", "funnel", "total", "asOf", "complete"],
                "properties": {
                  "eventId": {"type": "string"},
                  "eventName": {"type": ["string", "null"]},
                  "period": {"$ref": "#/components/schemas/Period"},
                  "granularity": {"enum": ["hourly", "daily", "weekly", "monthly"]},
                  "funnel": {
                    "type": "array",
                    "items": {
                      "allOf": [
                        {"type": "object", "required": ["date"], "properties": {"date": {"type": "string"}}},
                        {"$ref": "#/components/schemas/FunnelNumbers"},
                        {"$ref": "#/components/schemas/FunnelVisitors"}
                      ]
                    }
                  },
                  "total": {
                    "allOf": [
                      {
                        "type": "object",
                        "required": ["conversion", "visitorConversion"],
                        "properties": {
                          "conversion": {"type": ["number", "null"], "description": "Payments for 100 views"},
                          "visitorConversion": {"type": ["number", "null"], "description": "Payers for 100 viewers"}
                        }
                      },
                      {"$ref": "#/components/schemas/FunnelNumbers"},
                      {"$ref": "#/components/schemas/FunnelVisitors"}
                    ]
                  },
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"$ref": "#/components/schemas/Complete"}
                }
              },
              "Realtime": {
                "type": "object",
                "required": [
                  "visitorsLast5Minutes", "viewsPerMinute", "minutes", "latestBookings", "freshness", "asOf", \#
        "complete"
                ],
                "properties": {
                  "visitorsLast5Minutes": {
                    "type": ["integer", "null"],
                    "description": "Null where Redis can't be reached, as are viewsPerMinute and minutes"
                  },
                  "viewsPerMinute": {
                    "type": ["integer", "null"],
                    "description": "Page views of this minute, and of the one before it the share that lies less \#
        than a minute back"
                  },
                  "minutes": {
                    "type": ["array", "null"],
                    "description": "This minute first, and the four before it",
                    "items": {
                      "type": "object",
                      "required": ["minute", "pageViews"],
                      "properties": {"minute": {"type": "string", "format": "date-time"}, "pageViews": {"type": \#
        "integer"}}
                    }
                  },
                  "latestBookings": {
                    "type": "array",
                    "description": "Up to ten payments, the latest first",
                    "items": {
                      "type": "object",
                      "required": ["at", "artistId", "artistName", "eventId", "eventName", "tickets", "amount", \#
        "currency"],
                      "properties": {
                        "at": {"type": "string", "format": "date-time"},
                        "artistId": {"type": "string"},
                        "artistName": {"type": ["string", "null"]},
                        "eventId": {"type": "string"},
                        "eventName": {"type": ["string", "null"]},
                        "tickets": {"type": "integer"},
                        "amount": {"type": "integer", "description": "Minor units"},
                        "currency": {"type": "string"}
                      }
                    }
                  },
                  "freshness": {"$ref": "#/components/schemas/Freshness"},
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"const": false}
                }
              },
              "Top": {
                "type": "object",
                "required": ["by", "metric", "period", "items", "asOf", "complete"],
                "properties": {
                  "by": {"enum": ["artist", "event", "path", "referrer", "country", "device"]},
                  "metric": {"enum": ["pageViews", "uniqueVisitors", "sessions", "revenue"]},
                  "currency": {"type": "string", "description": "For the metric revenue"},
                  "period": {"$ref": "#/components/schemas/Period"},
                  "items": {
                    "type": "array",
                    "description": "The best first: rank; id and name of an artist or event, else the value under \#
        the name in `by`; the number under the name in `metric`; for pageViews of values `atMost`, which is the \#
        same where the number is exact",
                    "items": {"type": "object", "required": ["rank"]}
                  },
                  "exact": {
                    "type": "boolean",
                    "description": "Not for artist and event, which always are. False: each number is a lower bound"
                  },
                  "total": {"type": "integer", "description": "Of the whole range; not for artist and event"},
                  "missing": {"type": "integer", "description": "Of beacons without a value; not for artist and \#
        event"},
                  "remainder": {
                    "type": "integer",
                    "description": "Of values that are not kept apart; not for artist and event. Page views of all \#
        values, missing and remainder add up to total; visitors do not, for one may come with several values"
                  },
                  "asOf": {"$ref": "#/components/schemas/AsOf"},
                  "complete": {"$ref": "#/components/schemas/Complete"}
                }
              }
            }
          }
        }
        """#
}
