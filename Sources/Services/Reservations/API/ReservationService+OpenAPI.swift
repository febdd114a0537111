extension ReservationService {
    /// Written by hand; a test holds it against the routes.
    package static let openAPI = #"""
        {
          "openapi": "3.1.0",
          "info": {"title": "Tiketi: reservations", "version": "1"},
          "paths": {
            "/api/reservations": {
              "post": {
                "summary": "Hold seats",
                "description": "409: `seat_taken` (`seats` names them), `too_many_seats`, `sales_closed`, \#
        `admission_used`. 403: `admission_required`, `admission_invalid`. Lengths are of bytes in UTF-8; no \#
        text may have control characters.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/reservations.HoldRequest"}}
                  }
                },
                "responses": {
                  "201": {
                    "description": "They are held, all of them",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.Reservation"}}
                    },
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/reservations.Problem"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "413": {"$ref": "#/components/responses/reservations.Problem"},
                  "415": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/reservations/my": {
              "get": {
                "summary": "One's own, the latest first",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  },
                  {
                    "name": "cursor",
                    "in": "query",
                    "schema": {
                      "type": "string",
                      "pattern": "^[0-9]{1,15}\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
                    },
                    "description": "The `next` of the page before"
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.ReservationPage"}}
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/reservations/user/{userId}": {
              "get": {
                "summary": "A user's: their own, or for an admin anybody's",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "userId",
                    "in": "path",
                    "required": true,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 128}
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  },
                  {
                    "name": "cursor",
                    "in": "query",
                    "schema": {
                      "type": "string",
                      "pattern": "^[0-9]{1,15}\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
                    },
                    "description": "The `next` of the page before"
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.ReservationPage"}}
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/reservations/{id}": {
              "get": {
                "summary": "A reservation: its owner's, or for an admin anybody's",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.Reservation"}}
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              },
              "delete": {
                "summary": "Cancel it, or some of its tickets",
                "description": "A hold is given up for nothing; what is paid is refunded by the policy of the \#
        day it was booked. Repeating it changes nothing. 409: `confirming`, `expired`, `started`, `ticket_used`.",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  },
                  {
                    "name": "ticketIds",
                    "in": "query",
                    "style": "form",
                    "explode": false,
                    "schema": {
                      "type": "array",
                      "minItems": 1,
                      "maxItems": 100,
                      "items": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                    },
                    "description": "All where it is missing"
                  },
                  {
                    "name": "full",
                    "in": "query",
                    "schema": {"enum": ["true", "false"], "default": "false"},
                    "description": "An admin gives back the whole price, whenever"
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.CancellationDone"}}
                    }
                  },
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/reservations/{id}/cancellation": {
              "get": {
                "summary": "What cancelling all of it would give back now",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.CancellationQuote"}}
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/reservations/{id}/tickets": {
              "get": {
                "summary": "Its tickets",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "additionalProperties": false,
                          "required": ["tickets"],
                          "properties": {
                            "tickets": {"type": "array", "items": {"$ref": \#
        "#/components/schemas/reservations.Ticket"}}
                          }
                        }
                      }
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/seats/event/{eventId}": {
              "get": {
                "summary": "An event's seats",
                "description": "As of half a second ago at most; with a token, one's own seats are `mine`, at once.",
                "security": [{}, {"bearer": []}],
                "parameters": [
                  {
                    "name": "eventId",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.EventId"}
                  },
                  {
                    "name": "view",
                    "in": "query",
                    "schema": {"enum": ["full", "availability"], "default": "full"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {
                        "schema": {
                          "oneOf": [
                            {"$ref": "#/components/schemas/reservations.SeatMap"},
                            {"$ref": "#/components/schemas/reservations.SeatAvailability"}
                          ]
                        }
                      }
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/tickets/check-in": {
              "post": {
                "summary": "Let in whoever shows a ticket, once",
                "description": "For admins. 409: `ticket_used` says when, `ticket_void`, `ticket_reissued`.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["payload"],
                        "properties": {"payload": {"type": "string", "minLength": 1, "maxLength": 512}}
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/reservations.Ticket"}}}
                  },
                  "400": {"$ref": "#/components/responses/reservations.Problem"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "413": {"$ref": "#/components/responses/reservations.Problem"},
                  "415": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/tickets/{id}": {
              "get": {
                "summary": "A ticket: its owner's, or for an admin anybody's",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/reservations.Ticket"}}}
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/api/tickets/{id}/qr": {
              "get": {
                "summary": "The ticket's QR code",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "An SVG picture",
                    "content": {"image/svg+xml": {"schema": {"type": "string"}}}
                  },
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/internal/reservations/{id}": {
              "get": {
                "summary": "For Payments: a reservation",
                "security": [{"reservations.service": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": \#
        "#/components/schemas/reservations.InternalReservation"}}
                    }
                  },
                  "304": {"description": "As before, by If-None-Match"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/internal/reservations/{id}/confirming": {
              "post": {
                "summary": "For Payments: keep its seats, money is about to be taken",
                "description": "409: `not_held`, `amount_differs`.",
                "security": [{"reservations.service": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId", "amount"],
                        "properties": {
                          "paymentId": {"type": "string", "minLength": 1, "maxLength": 128},
                          "amount": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 1000000000000}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "additionalProperties": false,
                          "required": ["id", "state"],
                          "properties": {
                            "id": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                            "state": {"const": "confirming"}
                          }
                        }
                      }
                    }
                  },
                  "400": {"$ref": "#/components/responses/reservations.Problem"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "413": {"$ref": "#/components/responses/reservations.Problem"},
                  "415": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/internal/reservations/{id}/release": {
              "post": {
                "summary": "For Payments: that attempt took no money",
                "security": [{"reservations.service": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId"],
                        "properties": {"paymentId": {"type": "string", "minLength": 1, "maxLength": 128}}
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "additionalProperties": false,
                          "required": ["id"],
                          "properties": {"id": {"$ref": "#/components/schemas/reservations.ReservationUUID"}}
                        }
                      }
                    }
                  },
                  "400": {"$ref": "#/components/responses/reservations.Problem"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "413": {"$ref": "#/components/responses/reservations.Problem"},
                  "415": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            },
            "/internal/reservations/{id}/sold": {
              "post": {
                "summary": "For Payments: the money is taken",
                "description": "409 `seats_lost`: give the money back.",
                "security": [{"reservations.service": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId", "approvedAt"],
                        "properties": {
                          "paymentId": {"type": "string", "minLength": 1, "maxLength": 128},
                          "approvedAt": {"type": "string", "format": "date-time"}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "additionalProperties": false,
                          "required": ["id", "tickets"],
                          "properties": {
                            "id": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                            "tickets": {
                              "type": "array",
                              "items": {"$ref": "#/components/schemas/reservations.ReservationUUID"}
                            }
                          }
                        }
                      }
                    }
                  },
                  "400": {"$ref": "#/components/responses/reservations.Problem"},
                  "401": {"$ref": "#/components/responses/reservations.Problem"},
                  "403": {"$ref": "#/components/responses/reservations.Problem"},
                  "404": {"$ref": "#/components/responses/reservations.Problem"},
                  "409": {"$ref": "#/components/responses/reservations.Problem"},
                  "413": {"$ref": "#/components/responses/reservations.Problem"},
                  "415": {"$ref": "#/components/responses/reservations.Problem"},
                  "422": {"$ref": "#/components/responses/reservations.Problem"},
                  "503": {"$ref": "#/components/responses/reservations.Problem"}
                }
              }
            }
          },
          "components": {
            "schemas": {
              "reservations.EventId": {
                "type": "string",
                "pattern": "^[a-z0-9-]{1,64}$",
                "minLength": 1,
                "maxLength": 64
              },
              "reservations.ReservationUUID": {
                "type": "string",
                "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
              },
              "reservations.Reservation": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id",
                  "userId",
                  "eventId",
                  "artistId",
                  "title",
                  "startsAt",
                  "state",
                  "amount",
                  "currency",
                  "seats",
                  "expiresAt",
                  "createdAt",
                  "paymentId",
                  "paidAt"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                  "userId": {"type": "string"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "artistId": {"type": "string"},
                  "title": {"type": "string"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "state": {"enum": ["held", "confirming", "paid", "expired", "canceled"]},
                  "amount": {"type": "integer", "format": "int64", "minimum": 0},
                  "currency": {"type": "string"},
                  "seats": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "additionalProperties": false,
                      "required": ["id", "price"],
                      "properties": {
                        "id": {"type": "string"},
                        "price": {"type": "integer", "format": "int64", "minimum": 0}
                      }
                    }
                  },
                  "expiresAt": {"type": "string", "format": "date-time"},
                  "createdAt": {"type": "string", "format": "date-time"},
                  "paymentId": {"type": ["string", "null"]},
                  "paidAt": {"type": ["string", "null"], "format": "date-time"}
                }
              },
              "reservations.ReservationPage": {
                "type": "object",
                "additionalProperties": false,
                "required": ["reservations", "next"],
                "properties": {
                  "reservations": {"type": "array", "items": {"$ref": \#
        "#/components/schemas/reservations.Reservation"}},
                  "next": {
                    "type": ["string", "null"],
                    "description": "The cursor of the next page; null on the last"
                  }
                }
              },
              "reservations.Ticket": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id",
                  "reservationId",
                  "eventId",
                  "title",
                  "startsAt",
                  "seatId",
                  "section",
                  "row",
                  "number",
                  "price",
                  "currency",
                  "state",
                  "usedAt",
                  "payload"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                  "reservationId": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "title": {"type": "string"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "seatId": {"type": "string"},
                  "section": {"type": "string"},
                  "row": {"type": "string"},
                  "number": {"type": "string"},
                  "price": {"type": "integer", "format": "int64", "minimum": 0},
                  "currency": {"type": "string"},
                  "state": {"enum": ["valid", "used", "void"]},
                  "usedAt": {"type": ["string", "null"], "format": "date-time"},
                  "payload": {
                    "type": ["string", "null"],
                    "description": "What its QR code says; null where it opens no gate, and after check-in"
                  }
                }
              },
              "reservations.SeatMap": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "eventId",
                  "title",
                  "status",
                  "version",
                  "salesOpenAt",
                  "salesCloseAt",
                  "startsAt",
                  "currency",
                  "maxSeatsPerBuyer",
                  "needsAdmission",
                  "sections"
                ],
                "properties": {
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "title": {"type": "string"},
                  "status": {"enum": ["scheduled", "canceled", "closed"]},
                  "version": {"type": "integer"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "currency": {"type": "string"},
                  "maxSeatsPerBuyer": {"type": "integer"},
                  "needsAdmission": {"type": "boolean"},
                  "sections": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "additionalProperties": false,
                      "required": ["name", "rows"],
                      "properties": {
                        "name": {"type": "string"},
                        "rows": {
                          "type": "array",
                          "items": {
                            "type": "object",
                            "additionalProperties": false,
                            "required": ["name", "seats"],
                            "properties": {
                              "name": {"type": "string"},
                              "seats": {
                                "type": "array",
                                "items": {
                                  "type": "object",
                                  "additionalProperties": false,
                                  "required": ["id", "number", "price", "status"],
                                  "properties": {
                                    "id": {"type": "string"},
                                    "number": {"type": "string"},
                                    "price": {"type": "integer", "format": "int64", "minimum": 0},
                                    "status": {"enum": ["free", "held", "sold", "mine"]}
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                }
              },
              "reservations.SeatAvailability": {
                "type": "object",
                "additionalProperties": false,
                "required": ["eventId", "version", "statuses"],
                "properties": {
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "version": {
                    "type": "integer",
                    "description": "Where it differs from the map's, the map is to be read again"
                  },
                  "statuses": {
                    "type": "string",
                    "pattern": "^[fhsm]*$",
                    "description": "A letter a seat (free, held, sold, mine), in the order of the map"
                  }
                }
              },
              "reservations.HoldRequest": {
                "type": "object",
                "additionalProperties": false,
                "required": ["eventId", "seatIds"],
                "properties": {
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "seatIds": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 100,
                    "uniqueItems": true,
                    "items": {"type": "string", "minLength": 1, "maxLength": 64}
                  },
                  "visitorId": {
                    "type": ["string", "null"],
                    "minLength": 1,
                    "maxLength": 128,
                    "description": "What the browser's tracker calls itself"
                  },
                  "admissionToken": {
                    "type": ["string", "null"],
                    "minLength": 1,
                    "maxLength": 4096,
                    "description": "Of the queue, where the event needs one"
                  }
                }
              },
              "reservations.CancellationQuote": {
                "type": "object",
                "additionalProperties": false,
                "required": ["reservationId", "amount", "currency", "feePercent", "startsAt", "tickets", "asOf"],
                "properties": {
                  "reservationId": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                  "amount": {"type": "integer", "format": "int64", "minimum": 0},
                  "currency": {"type": "string"},
                  "feePercent": {"type": "integer"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "tickets": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "additionalProperties": false,
                      "required": ["ticketId", "seatId", "price", "refund"],
                      "properties": {
                        "ticketId": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                        "seatId": {"type": "string"},
                        "price": {"type": "integer", "format": "int64", "minimum": 0},
                        "refund": {"type": "integer", "format": "int64", "minimum": 0}
                      }
                    }
                  },
                  "asOf": {"type": "string", "format": "date-time"}
                }
              },
              "reservations.CancellationDone": {
                "type": "object",
                "additionalProperties": false,
                "required": ["reservation", "canceledTickets", "cancellationId", "refund", "currency"],
                "properties": {
                  "reservation": {"$ref": "#/components/schemas/reservations.Reservation"},
                  "canceledTickets": {"type": "array", "items": {"$ref": \#
        "#/components/schemas/reservations.ReservationUUID"}},
                  "cancellationId": {"type": ["string", "null"]},
                  "refund": {"type": "integer", "format": "int64", "minimum": 0},
                  "currency": {"type": "string"}
                }
              },
              "reservations.Problem": {
                "type": "object",
                "required": ["type", "title", "status", "code"],
                "properties": {
                  "type": {"type": "string"},
                  "title": {"type": "string"},
                  "status": {"type": "integer"},
                  "code": {"type": "string"},
                  "detail": {"type": "string"},
                  "instance": {"type": "string"},
                  "field": {"type": "string"},
                  "allowed": {"type": "array", "items": {"type": "string"}},
                  "seats": {"type": "array", "items": {"type": "string"}}
                }
              },
              "reservations.InternalReservation": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id",
                  "userId",
                  "eventId",
                  "artistId",
                  "title",
                  "state",
                  "amount",
                  "currency",
                  "tickets",
                  "expiresAt",
                  "visitorId"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/reservations.ReservationUUID"},
                  "userId": {"type": "string"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "artistId": {"type": "string"},
                  "title": {"type": "string"},
                  "state": {"enum": ["held", "confirming", "paid", "expired", "canceled"]},
                  "amount": {"type": "integer", "format": "int64", "minimum": 0},
                  "currency": {"type": "string"},
                  "tickets": {"type": "integer"},
                  "expiresAt": {"type": "string", "format": "date-time"},
                  "visitorId": {"type": ["string", "null"]}
                }
              }
            },
            "responses": {
              "reservations.Problem": {
                "description": "What is wrong (RFC 9457)",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/reservations.Problem"}}
                }
              }
            },
            "securitySchemes": {
              "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
              "reservations.service": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of Payments' own key"
              }
            }
          }
        }
        """#
}
