/// The OpenAPI document of `/api/payments`, with the bounds that the code has.
enum PaymentOpenAPI {
    static let document = #"""
        {
          "openapi": "3.1.0",
          "info": {"title": "Tiketi: payments", "version": "1"},
          "paths": {
            "/api/payments/toss/request": {
              "post": {
                "summary": "An order for a reservation, to open Toss's payment window with",
                "description": "The amount is the reservation's. Asked again, the same order is answered while it \#
        is good.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["reservationId"],
                        "properties": {"reservationId": {"$ref": "#/components/schemas/UUID"}}
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The order",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PaymentOrder"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/payments/toss/confirm": {
              "post": {
                "summary": "Takes the money, with what Toss's window came back with",
                "description": "Safe to repeat. 202 until it is decided: ask again, or GET the payment.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentKey", "orderId", "amount"],
                        "properties": {
                          "paymentKey": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": \#
        "^[A-Za-z0-9_-]+$"},
                          "orderId": {"type": "string", "minLength": 6, "maxLength": 64, "pattern": \#
        "^[A-Za-z0-9_-]+$"},
                          "amount": {"type": "integer", "minimum": 0, "maximum": 1000000000000}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "Paid, with its tickets",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Payment"}}}
                  },
                  "202": {
                    "description": "Not decided yet",
                    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Payment"}}}
                  }
                },
                "x-problems": [400, 401, 402, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/payments/toss/webhook": {
              "post": {
                "summary": "Takes a webhook of Toss's for a hint",
                "description": "Without authentication: nothing in it is believed. Any body is stored; Toss is \#
        asked about the payment that it names.",
                "security": [],
                "requestBody": {"required": false, "content": {"application/json": {"schema": {}}}},
                "responses": {"200": {"description": "Stored"}},
                "x-problems": [413, 503]
              }
            },
            "/api/payments": {
              "get": {
                "summary": "Payments, newest first: one's own, or all for an admin",
                "description": "userId, reservationId, state, stuck and refundRefused are for admins: others get 422.",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "cursor",
                    "in": "query",
                    "description": "The next of an earlier answer",
                    "schema": {
                      "type": "string",
                      "pattern": "^[0-9]{1,13}[.][0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
                    }
                  },
                  {"$ref": "#/components/parameters/Limit"},
                  {"name": "userId", "in": "query", "schema": {"type": "string", "minLength": 1, "maxLength": 128}},
                  {"name": "reservationId", "in": "query", "schema": {"type": "string", "minLength": 1, \#
        "maxLength": 128}},
                  {"name": "state", "in": "query", "schema": {"$ref": "#/components/schemas/PaymentState"}},
                  {
                    "name": "stuck",
                    "in": "query",
                    "description": "true: those that somebody must look at",
                    "schema": {"type": "string", "enum": ["true", "false"]}
                  },
                  {
                    "name": "refundRefused",
                    "in": "query",
                    "description": "true: those with a refund that somebody must look at",
                    "schema": {"type": "string", "enum": ["true", "false"]}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "A page",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["payments", "next"],
                          "properties": {
                            "payments": {
                              "type": "array",
                              "maxItems": 100,
                              "items": {"$ref": "#/components/schemas/Payment"}
                            },
                            "next": {"type": ["string", "null"]}
                          }
                        }
                      }
                    }
                  }
                },
                "x-problems": [401, 403, 422, 503]
              }
            },
            "/api/payments/{id}": {
              "get": {
                "summary": "A payment, to its owner or an admin",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/PaymentId"}],
                "responses": {
                  "200": {
                    "description": "The payment with its refunds",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Payment"}}}
                  }
                },
                "x-problems": [401, 403, 404, 503]
              }
            },
            "/api/payments/{id}/refund": {
              "post": {
                "summary": "Gives money back, all that is left or a part",
                "description": "Admins only: a buyer cancels at Reservations. One refund a key.",
                "security": [{"bearer": []}],
                "parameters": [
                  {"$ref": "#/components/parameters/PaymentId"},
                  {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": true,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["reason"],
                        "properties": {
                          "amount": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000000000},
                          "tickets": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
                          "reason": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 200,
                            "description": "1 to 200 bytes of UTF-8 without control characters"
                          }
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "202": {
                    "description": "Committed to: it will be made",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/payments/{id}/refunds/{refundId}/retry": {
              "post": {
                "summary": "Tries a refused refund again",
                "description": "409: `not_refused`, `not_paid`, `exceeds_balance` (less is left than it would give \#
        back).",
                "security": [{"bearer": []}],
                "parameters": [
                  {"$ref": "#/components/parameters/PaymentId"},
                  {"name": "refundId", "in": "path", "required": true, "schema": {"type": "string"}}
                ],
                "responses": {
                  "202": {
                    "description": "It will be tried",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}
                  }
                },
                "x-problems": [401, 403, 404, 409, 503]
              }
            }
          },
          "components": {
            "parameters": {"PaymentId": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}},
            "schemas": {
              "PaymentState": {
                "type": "string",
                "enum": [
                  "ready", "confirming", "releasing", "failed", "paid", "ticketed", "returning",
                  "unfulfilled"
                ]
              },
              "PaymentOrder": {
                "type": "object",
                "required": [
                  "paymentId", "orderId", "amount", "currency", "orderName", "customerKey", "clientKey", "successUrl",
                  "failUrl"
                ],
                "properties": {
                  "paymentId": {"$ref": "#/components/schemas/UUID"},
                  "orderId": {"type": "string", "pattern": "^[A-Za-z0-9_-]{6,64}$"},
                  "amount": {"type": "integer", "minimum": 1},
                  "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
                  "orderName": {"type": "string", "maxLength": 100},
                  "customerKey": {"type": "string", "minLength": 2, "maxLength": 50},
                  "clientKey": {"type": "string"},
                  "successUrl": {"type": "string"},
                  "failUrl": {"type": "string"},
                  "checkoutUrl": {"type": "string", "description": "The sandbox's page; not there with Toss itself"}
                }
              },
              "Payment": {
                "type": "object",
                "required": [
                  "paymentId", "orderId", "reservationId", "state", "amount", "currency", "refundCommitted", \#
        "refunded",
                  "tickets", "createdAt"
                ],
                "properties": {
                  "paymentId": {"$ref": "#/components/schemas/UUID"},
                  "orderId": {"type": "string"},
                  "reservationId": {"type": "string"},
                  "eventId": {"type": "string"},
                  "title": {"type": "string"},
                  "state": {"$ref": "#/components/schemas/PaymentState"},
                  "amount": {"type": "integer"},
                  "currency": {"type": "string"},
                  "refundCommitted": {"type": "integer"},
                  "refunded": {"type": "integer"},
                  "failureCode": {"type": ["string", "null"]},
                  "approvedAt": {"type": ["string", "null"], "format": "date-time"},
                  "createdAt": {"type": "string", "format": "date-time"},
                  "tickets": {"type": "array", "items": {"type": "string"}},
                  "refunds": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Refund"},
                    "description": "Where one payment is asked for, not in lists"
                  }
                }
              },
              "Refund": {
                "type": "object",
                "required": ["refundId", "amount", "tickets", "reason", "state", "createdAt"],
                "properties": {
                  "refundId": {"$ref": "#/components/schemas/UUID"},
                  "amount": {"type": "integer"},
                  "tickets": {"type": "integer"},
                  "reason": {"type": "string"},
                  "state": {"type": "string", "enum": ["requested", "sending", "done", "refused"]},
                  "failureCode": {"type": ["string", "null"]},
                  "completedAt": {"type": ["string", "null"], "format": "date-time"},
                  "createdAt": {"type": "string", "format": "date-time"}
                }
              }
            }
          }
        }
        """#
}
