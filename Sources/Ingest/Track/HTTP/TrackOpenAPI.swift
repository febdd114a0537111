package enum TrackOpenAPI {
    /// OpenAPI 3.1 of the track endpoint, written by hand.
    package static let document = #"""
        {
          "openapi": "3.1.0",
          "info": {"title": "Tiketi ingest", "version": "1", "license": {"name": "Apache-2.0", "identifier": \#
        "Apache-2.0"}},
          "paths": {
            "/api/analytics/track": {
              "post": {
                "security": [],
                "operationId": "track",
                "summary": "Send beacons: one object, an array, {\"batch\":[…]} or newline-delimited JSON, of any \#
        content type, plain or gzip. POST /track is the same.",
                "parameters": [
                  {
                    "name": "wait",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"enum": ["stored"]},
                    "description": "Answer 200 once the beacons are committed in the database, instead of 202 once \#
        they are on disk."
                  },
                  {
                    "name": "Sec-GPC",
                    "in": "header",
                    "schema": {"type": "string"},
                    "description": "1: keep no visitor, session or metadata. DNT: 1 is the same."
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "oneOf": [
                          {"$ref": "#/components/schemas/Beacon"},
                          {"type": "array", "maxItems": 10000, "items": {"$ref": "#/components/schemas/Beacon"}},
                          {
                            "type": "object",
                            "required": ["batch"],
                            "properties": {
                              "batch": {
                                "type": "array",
                                "maxItems": 10000,
                                "items": {"$ref": "#/components/schemas/Beacon"}
                              }
                            }
                          }
                        ]
                      }
                    },
                    "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/Beacon"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Committed in the database (wait=stored).",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outcome"}}}
                  },
                  "202": {
                    "description": "The accepted beacons are on disk.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outcome"}}}
                  }
                },
                "x-problems": [400, 405, 413, 415, 429, 503]
              },
              "get": {
                "security": [],
                "operationId": "trackPixel",
                "summary": "One beacon as query parameters, answered with a 1×1 GIF and as durable as a POST. path, \#
        referrer and country are parameters of their own.",
                "parameters": [
                  {
                    "name": "eventType",
                    "in": "query",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/Beacon/properties/eventType"}
                  },
                  {
                    "name": "artistId",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Identifier"}
                  },
                  {
                    "name": "eventId",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Identifier"}
                  },
                  {
                    "name": "timestamp",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Beacon/properties/timestamp"}
                  },
                  {
                    "name": "visitorId",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Identifier"}
                  },
                  {
                    "name": "sessionId",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Identifier"}
                  },
                  {
                    "name": "messageId",
                    "in": "query",
                    "allowEmptyValue": false,
                    "schema": {"$ref": "#/components/schemas/Identifier"}
                  },
                  {"name": "path", "in": "query", "allowEmptyValue": false, "schema": {"type": "string"}},
                  {"name": "referrer", "in": "query", "allowEmptyValue": false, "schema": {"type": "string"}},
                  {"name": "country", "in": "query", "allowEmptyValue": false, "schema": {"type": "string"}}
                ],
                "responses": {"200": {"description": "On disk.", "content": {"image/gif": {}}}},
                "x-problems": [400, 429, 503]
              }
            }
          },
          "components": {
            "schemas": {
              "Identifier": {
                "type": ["string", "null"],
                "minLength": 1,
                "maxLength": 128,
                "description": "1 to 128 bytes of UTF-8 without control characters."
              },
              "Beacon": {
                "type": "object",
                "required": ["eventType"],
                "properties": {
                  "eventType": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$", "examples": ["page_view"]},
                  "artistId": {"$ref": "#/components/schemas/Identifier"},
                  "eventId": {"$ref": "#/components/schemas/Identifier"},
                  "timestamp": {
                    "type": ["string", "integer", "null"],
                    "description": "ISO 8601 with offset, or milliseconds since 1970. At most 10 minutes ahead and \#
        400 days old."
                  },
                  "visitorId": {"$ref": "#/components/schemas/Identifier"},
                  "sessionId": {"$ref": "#/components/schemas/Identifier"},
                  "messageId": {"$ref": "#/components/schemas/Identifier"},
                  "metadata": {
                    "type": ["object", "null"],
                    "description": "At most 8192 bytes. path, referrer and userAgent may be 2048 bytes; ip is used \#
        for the visitor hash and thrown away.",
                    "properties": {
                      "path": {"type": "string"},
                      "referrer": {"type": "string"},
                      "userAgent": {"type": "string"},
                      "country": {"type": "string"},
                      "ip": {"type": "string"}
                    }
                  }
                },
                "additionalProperties": true
              },
              "Outcome": {
                "type": "object",
                "required": ["accepted"],
                "properties": {
                  "accepted": {"type": "integer"},
                  "rejected": {
                    "type": "array",
                    "maxItems": 1000,
                    "items": {
                      "type": "object",
                      "required": ["index", "field", "reason"],
                      "properties": {
                        "index": {"type": "integer"},
                        "field": {"type": "string"},
                        "reason": {"type": "string"}
                      }
                    }
                  },
                  "rejectedCount": {"type": "integer", "description": "Only where more were rejected than are \#
        listed."}
                }
              }
            }
          }
        }
        """#
}
