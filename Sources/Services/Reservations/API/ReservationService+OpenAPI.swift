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
        `admission_used`, `too_many_reservations` (unpaid ones of the buyer, over all events). 429 `too_many_holds`: \#
        within an hour. 403: `admission_required`, `admission_invalid`. Lengths are of bytes in UTF-8; no \#
        text may have control characters.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": \#
        "#/components/schemas/reservations.HoldRequest"}}}
                },
                "responses": {
                  "201": {
                    "description": "They are held, all of them",
                    "content": {"application/json": {"schema": {"$ref": \#
        "#/components/schemas/reservations.Reservation"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 429, 503]
              }
            },
            "/api/reservations/my": {
              "get": {
                "summary": "One's own, the latest first",
                "security": [{"bearer": []}],
                "parameters": [
                  {"$ref": "#/components/parameters/Limit"},
                  {"$ref": "#/components/parameters/reservations.Cursor"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.ReservationPage"}}
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 422, 503]
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
                  {"$ref": "#/components/parameters/Limit"},
                  {"$ref": "#/components/parameters/reservations.Cursor"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.ReservationPage"}}
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 422, 503]
              }
            },
            "/api/reservations/{id}": {
              "get": {
                "summary": "A reservation: its owner's, or for an admin anybody's",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": \#
        "#/components/schemas/reservations.Reservation"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 422, 503]
              },
              "delete": {
                "summary": "Cancel it, or some of its tickets",
                "description": "A hold is given up for nothing; what is paid is refunded by the policy of the day \#
        it was booked. Repeating it changes nothing. 409: `confirming`, `expired`, `started`, `ticket_used`.",
                "security": [{"bearer": []}],
                "parameters": [
                  {"$ref": "#/components/parameters/reservations.Id"},
                  {
                    "name": "ticketIds",
                    "in": "query",
                    "style": "form",
                    "explode": false,
                    "schema": {
                      "type": "array",
                      "minItems": 1,
                      "maxItems": 100,
                      "items": {"$ref": "#/components/schemas/UUID"}
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
                  }
                },
                "x-problems": [401, 403, 404, 409, 422, 503]
              }
            },
            "/api/reservations/{id}/cancellation": {
              "get": {
                "summary": "What cancelling all of it would give back now",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/reservations.CancellationQuote"}}
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 409, 422, 503]
              }
            },
            "/api/reservations/{id}/tickets": {
              "get": {
                "summary": "Its tickets",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
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
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 422, 503]
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
                  {"name": "view", "in": "query", "schema": {"enum": ["full", "availability"], "default": "full"}}
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
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 422, 503]
              }
            },
            "/api/tickets/check-in": {
              "post": {
                "summary": "Let in whoever shows a ticket, once",
                "description": "For admins. 409: `ticket_used` says when, `ticket_void`, `ticket_reissued`, \#
        `other_event`.",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["payload"],
                        "properties": {
                          "payload": {"type": "string", "minLength": 1, "maxLength": 512},
                          "eventId": {
                            "anyOf": [{"$ref": "#/components/schemas/reservations.EventId"}, {"type": "null"}],
                            "description": "Whose gate it is; without it any event's"
                          }
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/reservations.Ticket"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/tickets/{id}": {
              "get": {
                "summary": "A ticket: its owner's, or for an admin anybody's",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/reservations.Ticket"}}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 422, 503]
              }
            },
            "/api/tickets/{id}/qr": {
              "get": {
                "summary": "The ticket's QR code",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "responses": {
                  "200": {"description": "An SVG picture", "content": {"image/svg+xml": {"schema": {"type": \#
        "string"}}}}
                },
                "x-problems": [401, 403, 404, 409, 422, 503]
              }
            },
            "/internal/reservations/{id}": {
              "get": {
                "summary": "For Payments: a reservation",
                "description": "404 `reservation_not_found`, here and below: there is none. Any other 404 says nothing.",
                "security": [{"reservations.service": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": \#
        "#/components/schemas/reservations.InternalReservation"}}
                    }
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [401, 403, 404, 503]
              }
            },
            "/internal/reservations/{id}/confirming": {
              "post": {
                "summary": "For Payments: keep its seats, money is about to be taken",
                "description": "409: `not_held`, `amount_differs`.",
                "security": [{"reservations.service": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId", "amount"],
                        "properties": {
                          "paymentId": {"$ref": "#/components/schemas/reservations.PaymentId"},
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
                          "properties": {"id": {"$ref": "#/components/schemas/UUID"}, "state": {"const": \#
        "confirming"}}
                        }
                      }
                    }
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/internal/reservations/{id}/release": {
              "post": {
                "summary": "For Payments: that attempt took no money",
                "security": [{"reservations.service": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId"],
                        "properties": {"paymentId": {"$ref": "#/components/schemas/reservations.PaymentId"}}
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
                          "properties": {"id": {"$ref": "#/components/schemas/UUID"}}
                        }
                      }
                    }
                  }
                },
                "x-problems": [400, 401, 403, 404, 413, 415, 422, 503]
              }
            },
            "/internal/reservations/{id}/returned": {
              "post": {
                "summary": "For Payments: all of that attempt's money was given back",
                "security": [{"reservations.service": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId"],
                        "properties": {"paymentId": {"$ref": "#/components/schemas/reservations.PaymentId"}}
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
                          "properties": {"id": {"$ref": "#/components/schemas/UUID"}}
                        }
                      }
                    }
                  }
                },
                "x-problems": [400, 401, 403, 404, 413, 415, 422, 503]
              }
            },
            "/internal/reservations/{id}/sold": {
              "post": {
                "summary": "For Payments: the money is taken",
                "description": "409 `seats_lost`: give the money back.",
                "security": [{"reservations.service": []}],
                "parameters": [{"$ref": "#/components/parameters/reservations.Id"}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["paymentId", "approvedAt"],
                        "properties": {
                          "paymentId": {"$ref": "#/components/schemas/reservations.PaymentId"},
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
                            "id": {"$ref": "#/components/schemas/UUID"},
                            "tickets": {"type": "array", "items": {"$ref": "#/components/schemas/UUID"}}
                          }
                        }
                      }
                    }
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            }
          },
          "components": {
            "securitySchemes": {
              "reservations.service": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of Payments' own key"
              }
            },
            "parameters": {
              "reservations.Id": {
                "name": "id",
                "in": "path",
                "required": true,
                "schema": {"$ref": "#/components/schemas/UUID"}
              },
              "reservations.Cursor": {
                "name": "cursor",
                "in": "query",
                "schema": {
                  "type": "string",
                  "pattern": "^[0-9]{1,15}\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
                },
                "description": "The `next` of the page before"
              }
            },
            "schemas": {
              "reservations.EventId": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "minLength": 1, \#
        "maxLength": 64},
              "reservations.Reservation": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id", "userId", "eventId", "artistId", "title", "startsAt", "state", "amount", "currency", "seats",
                  "expiresAt", "createdAt", "paymentId", "paidAt"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/UUID"},
                  "userId": {"type": "string"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "artistId": {"type": "string"},
                  "title": {"type": "string"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "state": {"enum": ["held", "confirming", "paid", "expired", "canceled"]},
                  "amount": {"$ref": "#/components/schemas/reservations.Money"},
                  "currency": {"type": "string"},
                  "seats": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "additionalProperties": false,
                      "required": ["id", "price"],
                      "properties": {
                        "id": {"type": "string"},
                        "price": {"$ref": "#/components/schemas/reservations.Money"}
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
                  "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last"}
                }
              },
              "reservations.Ticket": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id", "reservationId", "eventId", "title", "startsAt", "seatId", "section", "row", "number", \#
        "price",
                  "currency", "state", "usedAt", "payload"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/UUID"},
                  "reservationId": {"$ref": "#/components/schemas/UUID"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "title": {"type": "string"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "seatId": {"type": "string"},
                  "section": {"type": "string"},
                  "row": {"type": "string"},
                  "number": {"type": "string"},
                  "price": {"$ref": "#/components/schemas/reservations.Money"},
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
                  "eventId", "title", "status", "version", "salesOpenAt", "salesCloseAt", "startsAt", "currency",
                  "maxSeatsPerBuyer", "needsAdmission", "sections"
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
                                    "price": {"$ref": "#/components/schemas/reservations.Money"},
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
                  "reservationId": {"$ref": "#/components/schemas/UUID"},
                  "amount": {"$ref": "#/components/schemas/reservations.Money"},
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
                        "ticketId": {"$ref": "#/components/schemas/UUID"},
                        "seatId": {"type": "string"},
                        "price": {"$ref": "#/components/schemas/reservations.Money"},
                        "refund": {"$ref": "#/components/schemas/reservations.Money"}
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
                  "canceledTickets": {"type": "array", "items": {"$ref": "#/components/schemas/UUID"}},
                  "cancellationId": {"type": ["string", "null"]},
                  "refund": {"$ref": "#/components/schemas/reservations.Money"},
                  "currency": {"type": "string"}
                }
              },
              "reservations.InternalReservation": {
                "type": "object",
                "additionalProperties": false,
                "required": [
                  "id", "userId", "eventId", "artistId", "title", "state", "amount", "currency", "tickets", \#
        "expiresAt",
                  "visitorId"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/UUID"},
                  "userId": {"type": "string"},
                  "eventId": {"$ref": "#/components/schemas/reservations.EventId"},
                  "artistId": {"type": "string"},
                  "title": {"type": "string"},
                  "state": {"enum": ["held", "confirming", "paid", "expired", "canceled"]},
                  "amount": {"$ref": "#/components/schemas/reservations.Money"},
                  "currency": {"type": "string"},
                  "tickets": {"type": "integer"},
                  "expiresAt": {"type": "string", "format": "date-time"},
                  "visitorId": {"type": ["string", "null"]}
                }
              },
              "reservations.Money": {"type": "integer", "format": "int64", "minimum": 0},
              "reservations.PaymentId": {"type": "string", "minLength": 1, "maxLength": 128}
            }
          }
        }
        """#
}
