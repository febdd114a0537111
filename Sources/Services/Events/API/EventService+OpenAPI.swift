extension EventService {
    /// What `/openapi.json` answers. Written by hand; a test holds it against the routes.
    package static let openAPI = #"""
        {
          "openapi": "3.1.0",
          "info": {"title": "Tiketi: events", "version": "1"},
          "paths": {
            "/api/events": {
              "get": {
                "summary": "Events in the order of their start",
                "security": [],
                "parameters": [
                  {"name": "category", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {"name": "artistId", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {"name": "venueId", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {
                    "name": "status",
                    "in": "query",
                    "schema": {"type": "string", "enum": ["upcoming", "on_sale", "sold_out", "ended", "canceled"]}
                  },
                  {
                    "name": "from",
                    "in": "query",
                    "schema": {"type": "string", "format": "date-time"},
                    "description": "Of startsAt, inclusive"
                  },
                  {
                    "name": "to",
                    "in": "query",
                    "schema": {"type": "string", "format": "date-time"},
                    "description": "Of startsAt, exclusive"
                  },
                  {
                    "name": "cursor",
                    "in": "query",
                    "schema": {"type": "string", "pattern": "^[0-9]{1,15}_[a-z0-9_-]{1,64}$"},
                    "description": "The nextCursor of the page before; one that was none is 422"
                  },
                  {"$ref": "#/components/parameters/Limit"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvents"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [422, 503]
              },
              "post": {
                "summary": "Add an event",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewEvent"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvent"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 503]
              }
            },
            "/api/events/search": {
              "get": {
                "summary": "Events by words, the best first",
                "security": [],
                "parameters": [
                  {
                    "name": "q",
                    "in": "query",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
                    "description": "Words: any part of Korean ones, whole Latin ones",
                    "required": true
                  },
                  {
                    "name": "cursor",
                    "in": "query",
                    "schema": {"type": "string", "pattern": "^[0-9]{1,15}_[01]_[0-2]_[0-9]{1,15}_[a-z0-9_-]{1,64}$"}
                  },
                  {"$ref": "#/components/parameters/Limit"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvents"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [422, 503]
              }
            },
            "/api/events/keywords": {
              "get": {
                "summary": "Names for the same",
                "security": [{"bearer": []}],
                "responses": {
                  "200": {
                    "description": "All pairs",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueKeywords"}}}
                  }
                },
                "x-problems": [401, 403, 422, 503]
              },
              "put": {
                "summary": "Replace all pairs",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueKeywords"}}}
                },
                "responses": {
                  "200": {
                    "description": "Replaced",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueKeywords"}}}
                  }
                },
                "x-problems": [400, 401, 403, 413, 415, 422, 503]
              }
            },
            "/api/events/{id}": {
              "get": {
                "summary": "An event",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvent"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "put": {
                "summary": "Change an event, whole",
                "description": "version is that which was read; where it has changed since, 409",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedEvent"}}}
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvent"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              },
              "delete": {
                "summary": "Cancel an event, for good",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {"204": {"description": "It is canceled, by this or before"}},
                "x-problems": [401, 403, 404, 503]
              }
            },
            "/api/events/{id}/layout": {
              "get": {
                "summary": "Sections, rows and seats with their prices",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueLayout"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "put": {
                "summary": "Replace the layout",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewLayout"}}}
                },
                "responses": {
                  "200": {
                    "description": "Replaced",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueLayout"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/events/{id}/images": {
              "get": {
                "summary": "What is known of an event's pictures",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueImages"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "post": {
                "summary": "Add a picture",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewImage"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueImage"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/events/{id}/images/{imageId}": {
              "delete": {
                "summary": "Remove a picture",
                "security": [{"bearer": []}],
                "parameters": [
                  {"$ref": "#/components/parameters/CatalogueId"},
                  {
                    "name": "imageId",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {"204": {"description": "It is gone"}},
                "x-problems": [401, 403, 404, 503]
              }
            },
            "/api/artists": {
              "get": {
                "summary": "All artists",
                "security": [],
                "parameters": [
                  {"name": "cursor", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {"$ref": "#/components/parameters/Limit"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtists"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [422, 503]
              },
              "post": {
                "summary": "Add an artist",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewArtist"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 503]
              }
            },
            "/api/artists/{id}": {
              "get": {
                "summary": "An artist",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "put": {
                "summary": "Change an artist",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedArtist"}}}
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/venues": {
              "get": {
                "summary": "All venues",
                "security": [],
                "parameters": [
                  {"name": "cursor", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {"$ref": "#/components/parameters/Limit"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenues"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [422, 503]
              },
              "post": {
                "summary": "Add a venue",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewVenue"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenue"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 503]
              }
            },
            "/api/venues/{id}": {
              "get": {
                "summary": "A venue",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenue"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "put": {
                "summary": "Change a venue",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedVenue"}}}
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenue"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              }
            },
            "/api/categories": {
              "get": {
                "summary": "All categories",
                "security": [],
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategories"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [422, 503]
              },
              "post": {
                "summary": "Add a category",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewCategory"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}},
                    "headers": {"Location": {"$ref": "#/components/headers/Location"}}
                  }
                },
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 503]
              }
            },
            "/api/categories/{id}": {
              "get": {
                "summary": "A category",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}},
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
                  },
                  "304": {"$ref": "#/components/responses/NotModified"}
                },
                "x-problems": [404, 422, 503]
              },
              "put": {
                "summary": "Change a category",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": \#
        "#/components/schemas/CatalogueChangedCategory"}}}
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}}
                  }
                },
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 503]
              },
              "delete": {
                "summary": "Remove a category that no event is in",
                "security": [{"bearer": []}],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {"204": {"description": "It is gone"}},
                "x-problems": [401, 403, 404, 409, 503]
              }
            },
            "/internal/events/{id}": {
              "get": {
                "summary": "What Reservations copies",
                "description": "404 `event_not_found`: Events has none of this id. Any other 404 says nothing.",
                "security": [],
                "parameters": [{"$ref": "#/components/parameters/CatalogueId"}],
                "responses": {
                  "200": {
                    "description": "The event",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCopiedEvent"}}}
                  }
                },
                "x-problems": [404, 503]
              }
            }
          },
          "components": {
            "parameters": {
              "CatalogueId": {
                "name": "id",
                "in": "path",
                "required": true,
                "schema": {"$ref": "#/components/schemas/CatalogueId"}
              }
            },
            "schemas": {
              "CatalogueId": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$"},
              "CatalogueTicketType": {
                "type": "object",
                "required": ["name", "price"],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 60,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "price": {"$ref": "#/components/schemas/CataloguePrice"}
                },
                "additionalProperties": false
              },
              "CatalogueNewEvent": {
                "type": "object",
                "required": ["title", "artistId", "startsAt", "salesOpenAt", "salesCloseAt"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "title": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "description": {"$ref": "#/components/schemas/CatalogueDescription"},
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "venueId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "categoryId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "endsAt": {"type": ["string", "null"], "format": "date-time"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "currency": {"enum": ["KRW", null], "default": "KRW"},
                  "maxSeatsPerBuyer": {"type": ["integer", "null"], "minimum": 1, "maximum": 20, "default": 4},
                  "needsAdmission": {"type": ["boolean", "null"], "default": false},
                  "taxable": {"type": ["boolean", "null"], "default": true},
                  "ticketTypes": {
                    "type": ["array", "null"],
                    "maxItems": 20,
                    "items": {"$ref": "#/components/schemas/CatalogueTicketType"}
                  }
                },
                "additionalProperties": false,
                "description": "Lengths are counted in bytes of UTF-8: text beyond ASCII may be shorter. Sales \#
        close after they open and not after the end, or the start where no end is given; an event ends after its \#
        start, within 60 days."
              },
              "CatalogueChangedEvent": {
                "type": "object",
                "required": ["version", "title", "artistId", "startsAt", "salesOpenAt", "salesCloseAt"],
                "properties": {
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "title": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "description": {"$ref": "#/components/schemas/CatalogueDescription"},
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "venueId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "categoryId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "endsAt": {"type": ["string", "null"], "format": "date-time"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "currency": {"enum": ["KRW", null], "default": "KRW"},
                  "maxSeatsPerBuyer": {"type": ["integer", "null"], "minimum": 1, "maximum": 20, "default": 4},
                  "needsAdmission": {"type": ["boolean", "null"], "default": false},
                  "taxable": {"type": ["boolean", "null"], "default": true},
                  "ticketTypes": {
                    "type": ["array", "null"],
                    "maxItems": 20,
                    "items": {"$ref": "#/components/schemas/CatalogueTicketType"}
                  }
                },
                "additionalProperties": false,
                "description": "Lengths are counted in bytes of UTF-8: text beyond ASCII may be shorter. Sales \#
        close after they open and not after the end, or the start where no end is given; an event ends after its \#
        start, within 60 days."
              },
              "CatalogueEvent": {
                "type": "object",
                "required": [
                  "id", "title", "description", "artistId", "artistName", "venueId", "venueName", "categoryId",
                  "categoryName", "startsAt", "endsAt", "salesOpenAt", "salesCloseAt", "status", "currency",
                  "maxSeatsPerBuyer", "needsAdmission", "taxable", "ticketTypes", "seats", "version"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "title": {"type": "string"},
                  "description": {"type": "string"},
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "artistName": {"type": "string"},
                  "venueId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "venueName": {"type": ["string", "null"]},
                  "categoryId": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "categoryName": {"type": ["string", "null"]},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "endsAt": {"type": ["string", "null"], "format": "date-time"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "status": {"type": "string", "enum": ["upcoming", "on_sale", "sold_out", "ended", "canceled"]},
                  "currency": {"type": "string"},
                  "maxSeatsPerBuyer": {"type": "integer"},
                  "needsAdmission": {"type": "boolean"},
                  "taxable": {"type": "boolean"},
                  "ticketTypes": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueTicketType"}},
                  "seats": {"type": ["integer", "null"]},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"}
                },
                "additionalProperties": false
              },
              "CatalogueEvents": {
                "type": "object",
                "required": ["events", "nextCursor"],
                "properties": {
                  "events": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueEvent"}},
                  "nextCursor": {"type": ["string", "null"]}
                },
                "additionalProperties": false
              },
              "CatalogueKeywordPair": {
                "type": "object",
                "required": ["korean", "english"],
                "properties": {
                  "korean": {"$ref": "#/components/schemas/CatalogueKeyword"},
                  "english": {"$ref": "#/components/schemas/CatalogueKeyword"}
                },
                "additionalProperties": false,
                "description": "Each has a letter or a digit"
              },
              "CatalogueKeywords": {
                "type": "object",
                "required": ["pairs"],
                "properties": {
                  "pairs": {
                    "type": "array",
                    "maxItems": 1000,
                    "items": {"$ref": "#/components/schemas/CatalogueKeywordPair"}
                  }
                },
                "additionalProperties": false
              },
              "CatalogueNewLayout": {
                "oneOf": [
                  {
                    "type": "object",
                    "required": ["template", "prices"],
                    "properties": {
                      "template": {"type": "string", "enum": ["small", "hall", "arena"]},
                      "prices": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 100,
                        "items": {
                          "type": "object",
                          "required": ["section", "price"],
                          "properties": {
                            "section": {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"},
                            "price": {"$ref": "#/components/schemas/CataloguePrice"}
                          },
                          "additionalProperties": false
                        }
                      },
                      "version": {"type": ["integer", "null"], "minimum": 1, "maximum": 9223372036854775807}
                    },
                    "additionalProperties": false,
                    "description": "265, 1,250 or 4,900 seats, with a price for each of the sections: VIP, R, S of \#
        small and hall; FLOOR, R, S, A of arena"
                  },
                  {
                    "type": "object",
                    "required": ["sections"],
                    "properties": {
                      "sections": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 100,
                        "items": {
                          "type": "object",
                          "required": ["name", "price", "rows"],
                          "properties": {
                            "name": {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"},
                            "price": {"$ref": "#/components/schemas/CataloguePrice"},
                            "rows": {
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 500,
                              "items": {
                                "type": "object",
                                "required": ["name", "seats"],
                                "properties": {
                                  "name": {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"},
                                  "firstNumber": {"type": ["integer", "null"], "minimum": 0, "maximum": 9999, \#
        "default": 1},
                                  "seats": {"type": "integer", "minimum": 1, "maximum": 500}
                                },
                                "additionalProperties": false
                              }
                            }
                          },
                          "additionalProperties": false
                        }
                      },
                      "version": {"type": ["integer", "null"], "minimum": 1, "maximum": 9223372036854775807}
                    },
                    "additionalProperties": false,
                    "description": "20,000 seats at most; names of sections, and of a section's rows, differ"
                  }
                ]
              },
              "CatalogueLayout": {
                "type": "object",
                "required": ["eventId", "currency", "version", "seats", "sections"],
                "properties": {
                  "eventId": {"$ref": "#/components/schemas/CatalogueId"},
                  "currency": {"type": "string"},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "seats": {"type": "integer"},
                  "sections": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["name", "price", "rows"],
                      "properties": {
                        "name": {"type": "string"},
                        "price": {"$ref": "#/components/schemas/CataloguePrice"},
                        "rows": {
                          "type": "array",
                          "items": {
                            "type": "object",
                            "required": ["name", "seats"],
                            "properties": {
                              "name": {"type": "string"},
                              "seats": {
                                "type": "array",
                                "items": {
                                  "type": "object",
                                  "required": ["id", "number", "price"],
                                  "properties": {
                                    "id": {"type": "string"},
                                    "number": {"type": "string"},
                                    "price": {"$ref": "#/components/schemas/CataloguePrice"}
                                  },
                                  "additionalProperties": false
                                }
                              }
                            },
                            "additionalProperties": false
                          }
                        }
                      },
                      "additionalProperties": false
                    }
                  }
                },
                "additionalProperties": false
              },
              "CatalogueNewImage": {
                "type": "object",
                "required": ["url", "width", "height", "altText"],
                "properties": {
                  "url": {"type": "string", "maxLength": 2048, "pattern": \#
        "^(https://[!-~]+|[A-Za-z0-9][A-Za-z0-9/._-]*)$"},
                  "width": {"type": "integer", "minimum": 1, "maximum": 20000},
                  "height": {"type": "integer", "minimum": 1, "maximum": 20000},
                  "altText": {
                    "type": "string",
                    "minLength": 0,
                    "maxLength": 400,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "position": {"type": ["integer", "null"], "minimum": 0, "maximum": 10000, "default": 0}
                },
                "additionalProperties": false
              },
              "CatalogueImage": {
                "type": "object",
                "required": ["id", "url", "width", "height", "altText", "position"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "url": {"type": "string", "maxLength": 2048, "pattern": \#
        "^(https://[!-~]+|[A-Za-z0-9][A-Za-z0-9/._-]*)$"},
                  "width": {"type": "integer", "minimum": 1, "maximum": 20000},
                  "height": {"type": "integer", "minimum": 1, "maximum": 20000},
                  "altText": {
                    "type": "string",
                    "minLength": 0,
                    "maxLength": 400,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "position": {"type": "integer", "minimum": 0, "maximum": 10000}
                },
                "additionalProperties": false
              },
              "CatalogueImages": {
                "type": "object",
                "required": ["images"],
                "properties": {"images": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueImage"}}},
                "additionalProperties": false
              },
              "CatalogueNewArtist": {
                "type": "object",
                "required": ["name"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "name": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "description": {"$ref": "#/components/schemas/CatalogueDescription"}
                },
                "additionalProperties": false
              },
              "CatalogueChangedArtist": {
                "type": "object",
                "required": ["version", "name"],
                "properties": {
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "name": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "description": {"$ref": "#/components/schemas/CatalogueDescription"}
                },
                "additionalProperties": false
              },
              "CatalogueArtist": {
                "type": "object",
                "required": ["id", "name", "description", "version"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "name": {"type": "string"},
                  "description": {"type": "string"},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"}
                },
                "additionalProperties": false
              },
              "CatalogueArtists": {
                "type": "object",
                "required": ["artists", "nextCursor"],
                "properties": {
                  "artists": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueArtist"}},
                  "nextCursor": {"type": ["string", "null"]}
                },
                "additionalProperties": false
              },
              "CatalogueNewVenue": {
                "type": "object",
                "required": ["name"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "name": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "address": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 400,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  }
                },
                "additionalProperties": false
              },
              "CatalogueChangedVenue": {
                "type": "object",
                "required": ["version", "name"],
                "properties": {
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "name": {"$ref": "#/components/schemas/CatalogueTitle"},
                  "address": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 400,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  }
                },
                "additionalProperties": false
              },
              "CatalogueVenue": {
                "type": "object",
                "required": ["id", "name", "address", "version"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "name": {"type": "string"},
                  "address": {"type": "string"},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"}
                },
                "additionalProperties": false
              },
              "CatalogueVenues": {
                "type": "object",
                "required": ["venues", "nextCursor"],
                "properties": {
                  "venues": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueVenue"}},
                  "nextCursor": {"type": ["string", "null"]}
                },
                "additionalProperties": false
              },
              "CatalogueNewCategory": {
                "type": "object",
                "required": ["name"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueOptionalId"},
                  "name": {"$ref": "#/components/schemas/CatalogueKeyword"},
                  "position": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000000, "default": 0}
                },
                "additionalProperties": false
              },
              "CatalogueChangedCategory": {
                "type": "object",
                "required": ["version", "name"],
                "properties": {
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "name": {"$ref": "#/components/schemas/CatalogueKeyword"},
                  "position": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000000, "default": 0}
                },
                "additionalProperties": false
              },
              "CatalogueCategory": {
                "type": "object",
                "required": ["id", "name", "position", "version"],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "name": {"type": "string"},
                  "position": {"type": "integer"},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"}
                },
                "additionalProperties": false
              },
              "CatalogueCategories": {
                "type": "object",
                "required": ["categories"],
                "properties": {
                  "categories": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueCategory"}}
                },
                "additionalProperties": false
              },
              "CatalogueCopiedEvent": {
                "type": "object",
                "required": [
                  "id", "title", "artistId", "status", "salesOpenAt", "salesCloseAt", "startsAt", "currency",
                  "maxSeatsPerBuyer", "needsAdmission", "taxable", "version", "seats"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "title": {"type": "string"},
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "status": {"type": "string", "enum": ["scheduled", "canceled"]},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "currency": {"type": "string"},
                  "maxSeatsPerBuyer": {"type": "integer"},
                  "needsAdmission": {"type": "boolean"},
                  "taxable": {"type": "boolean"},
                  "version": {"$ref": "#/components/schemas/CatalogueVersion"},
                  "seats": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["id", "section", "row", "number", "price"],
                      "properties": {
                        "id": {"type": "string"},
                        "section": {"type": "string"},
                        "row": {"type": "string"},
                        "number": {"type": "string"},
                        "price": {"$ref": "#/components/schemas/CataloguePrice"}
                      },
                      "additionalProperties": false
                    }
                  }
                },
                "additionalProperties": false
              },
              "CatalogueTitle": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
              },
              "CatalogueKeyword": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
              },
              "CatalogueDescription": {
                "type": ["string", "null"],
                "minLength": 0,
                "maxLength": 4000,
                "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
              },
              "CatalogueVersion": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
              "CataloguePrice": {"type": "integer", "minimum": 100, "maximum": 1000000000, "description": "In won"},
              "CatalogueOptionalId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]}
            }
          }
        }
        """#
}
