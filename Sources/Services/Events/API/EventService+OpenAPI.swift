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
                    "schema": {
                      "type": "string",
                      "enum": ["upcoming", "on_sale", "sold_out", "ended", "canceled"]
                    }
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
                    "schema": {"type": "string", "pattern": "^[0-9]{1,15}_[a-z0-9-]{1,64}$"},
                    "description": "The nextCursor of the page before; one that was none is 422"
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvents"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
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
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
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
                    "schema": {
                      "type": "string",
                      "pattern": "^[0-9]{1,15}_[01]_[0-2]_[0-9]{1,15}_[a-z0-9-]{1,64}$"
                    }
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvents"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/api/events/keywords": {
              "get": {
                "summary": "Names for the same",
                "security": [{"bearer": []}],
                "responses": {
                  "200": {
                    "description": "All pairs",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueKeywords"}}
                    }
                  },
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
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
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueKeywords"}}
                    }
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/api/events/{id}": {
              "get": {
                "summary": "An event",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvent"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "put": {
                "summary": "Change an event, whole",
                "description": "version is that which was read; where it has changed since, 409",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedEvent"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueEvent"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              },
              "delete": {
                "summary": "Cancel an event, for good",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "204": {"description": "It is canceled, by this or before"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/api/events/{id}/layout": {
              "get": {
                "summary": "Sections, rows and seats with their prices",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueLayout"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "put": {
                "summary": "Replace the layout",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewLayout"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Replaced",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueLayout"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/events/{id}/images": {
              "get": {
                "summary": "What is known of an event's pictures",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueImages"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "post": {
                "summary": "Add a picture",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewImage"}}}
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueImage"}}},
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/events/{id}/images/{imageId}": {
              "delete": {
                "summary": "Remove a picture",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  },
                  {
                    "name": "imageId",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "204": {"description": "It is gone"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/api/artists": {
              "get": {
                "summary": "All artists",
                "security": [],
                "parameters": [
                  {"name": "cursor", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtists"}}
                    },
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "post": {
                "summary": "Add an artist",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewArtist"}}
                  }
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}},
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/artists/{id}": {
              "get": {
                "summary": "An artist",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "put": {
                "summary": "Change an artist",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedArtist"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueArtist"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/venues": {
              "get": {
                "summary": "All venues",
                "security": [],
                "parameters": [
                  {"name": "cursor", "in": "query", "schema": {"$ref": "#/components/schemas/CatalogueId"}},
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenues"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
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
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/venues/{id}": {
              "get": {
                "summary": "A venue",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenue"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "put": {
                "summary": "Change a venue",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedVenue"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CatalogueVenue"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
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
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategories"}}
                    },
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "post": {
                "summary": "Add a category",
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueNewCategory"}}
                  }
                },
                "responses": {
                  "201": {
                    "description": "Added",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}
                    },
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              }
            },
            "/api/categories/{id}": {
              "get": {
                "summary": "A category",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The answer",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}
                    },
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As it was: If-None-Match has its ETag"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              },
              "put": {
                "summary": "Change a category",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueChangedCategory"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Changed",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCategory"}}
                    }
                  },
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"}
                }
              },
              "delete": {
                "summary": "Remove a category that no event is in",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "204": {"description": "It is gone"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "409": {"$ref": "#/components/responses/CatalogueConflict"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/internal/events/{id}": {
              "get": {
                "summary": "What Reservations copies",
                "security": [],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "The event",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueCopiedEvent"}}
                    }
                  },
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"}
                }
              }
            },
            "/internal/events/{id}/availability": {
              "put": {
                "summary": "Say how many seats are left",
                "description": "Roles service and admin",
                "security": [{"bearer": []}],
                "parameters": [
                  {
                    "name": "id",
                    "in": "path",
                    "required": true,
                    "schema": {"$ref": "#/components/schemas/CatalogueId"}
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CatalogueAvailability"}}
                  }
                },
                "responses": {
                  "204": {"description": "Noted"},
                  "400": {"$ref": "#/components/responses/CatalogueMalformed"},
                  "401": {"$ref": "#/components/responses/CatalogueUnauthorized"},
                  "403": {"$ref": "#/components/responses/CatalogueForbidden"},
                  "413": {"$ref": "#/components/responses/CatalogueTooLarge"},
                  "415": {"$ref": "#/components/responses/CatalogueMediaType"},
                  "422": {"$ref": "#/components/responses/CatalogueInvalid"},
                  "503": {"$ref": "#/components/responses/CatalogueUnavailable"},
                  "404": {"$ref": "#/components/responses/CatalogueNotFound"}
                }
              }
            }
          },
          "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": {
              "CatalogueId": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
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
                  "price": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 1000000000,
                    "description": "In minor units"
                  }
                },
                "additionalProperties": false
              },
              "CatalogueNewEvent": {
                "type": "object",
                "required": ["title", "artistId", "startsAt", "salesOpenAt", "salesCloseAt"],
                "properties": {
                  "id": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "title": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "description": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 4000,
                    "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
                  },
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "venueId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "categoryId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "endsAt": {"type": ["string", "null"], "format": "date-time"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "currency": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$", "default": "KRW"},
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
                  "title": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "description": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 4000,
                    "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
                  },
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "venueId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "categoryId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "startsAt": {"type": "string", "format": "date-time"},
                  "endsAt": {"type": ["string", "null"], "format": "date-time"},
                  "salesOpenAt": {"type": "string", "format": "date-time"},
                  "salesCloseAt": {"type": "string", "format": "date-time"},
                  "currency": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$", "default": "KRW"},
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
                  "id",
                  "title",
                  "description",
                  "artistId",
                  "artistName",
                  "venueId",
                  "venueName",
                  "categoryId",
                  "categoryName",
                  "startsAt",
                  "endsAt",
                  "salesOpenAt",
                  "salesCloseAt",
                  "status",
                  "currency",
                  "maxSeatsPerBuyer",
                  "needsAdmission",
                  "taxable",
                  "ticketTypes",
                  "seats",
                  "version"
                ],
                "properties": {
                  "id": {"$ref": "#/components/schemas/CatalogueId"},
                  "title": {"type": "string"},
                  "description": {"type": "string"},
                  "artistId": {"$ref": "#/components/schemas/CatalogueId"},
                  "artistName": {"type": "string"},
                  "venueId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "venueName": {"type": ["string", "null"]},
                  "categoryId": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807}
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
                  "korean": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "english": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  }
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
                            "price": {
                              "type": "integer",
                              "minimum": 0,
                              "maximum": 1000000000,
                              "description": "In minor units"
                            }
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
                            "price": {
                              "type": "integer",
                              "minimum": 0,
                              "maximum": 1000000000,
                              "description": "In minor units"
                            },
                            "rows": {
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 500,
                              "items": {
                                "type": "object",
                                "required": ["name", "seats"],
                                "properties": {
                                  "name": {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"},
                                  "firstNumber": {
                                    "type": ["integer", "null"],
                                    "minimum": 0,
                                    "maximum": 9999,
                                    "default": 1
                                  },
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
                  "seats": {"type": "integer"},
                  "sections": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["name", "price", "rows"],
                      "properties": {
                        "name": {"type": "string"},
                        "price": {
                          "type": "integer",
                          "minimum": 0,
                          "maximum": 1000000000,
                          "description": "In minor units"
                        },
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
                                    "price": {
                                      "type": "integer",
                                      "minimum": 0,
                                      "maximum": 1000000000,
                                      "description": "In minor units"
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
                    }
                  }
                },
                "additionalProperties": false
              },
              "CatalogueNewImage": {
                "type": "object",
                "required": ["url", "width", "height", "altText"],
                "properties": {
                  "url": {
                    "type": "string",
                    "maxLength": 2048,
                    "pattern": "^(https://[!-~]+|[A-Za-z0-9][A-Za-z0-9/._-]*)$"
                  },
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
                  "url": {
                    "type": "string",
                    "maxLength": 2048,
                    "pattern": "^(https://[!-~]+|[A-Za-z0-9][A-Za-z0-9/._-]*)$"
                  },
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
                "properties": {
                  "images": {"type": "array", "items": {"$ref": "#/components/schemas/CatalogueImage"}}
                },
                "additionalProperties": false
              },
              "CatalogueNewArtist": {
                "type": "object",
                "required": ["name"],
                "properties": {
                  "id": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "description": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 4000,
                    "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
                  }
                },
                "additionalProperties": false
              },
              "CatalogueChangedArtist": {
                "type": "object",
                "required": ["version", "name"],
                "properties": {
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "description": {
                    "type": ["string", "null"],
                    "minLength": 0,
                    "maxLength": 4000,
                    "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
                  }
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807}
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
                  "id": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807}
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
                  "id": {"anyOf": [{"$ref": "#/components/schemas/CatalogueId"}, {"type": "null"}]},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
                  "position": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000000, "default": 0}
                },
                "additionalProperties": false
              },
              "CatalogueChangedCategory": {
                "type": "object",
                "required": ["version", "name"],
                "properties": {
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
                  },
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807}
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
              "CatalogueAvailability": {
                "type": "object",
                "required": ["seatsLeft"],
                "properties": {"seatsLeft": {"type": "integer", "minimum": 0, "maximum": 20000}},
                "additionalProperties": false
              },
              "CatalogueCopiedEvent": {
                "type": "object",
                "required": [
                  "id",
                  "title",
                  "artistId",
                  "status",
                  "salesOpenAt",
                  "salesCloseAt",
                  "startsAt",
                  "currency",
                  "maxSeatsPerBuyer",
                  "needsAdmission",
                  "taxable",
                  "version",
                  "seats"
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
                  "version": {"type": "integer", "minimum": 1, "maximum": 9223372036854775807},
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
                        "price": {
                          "type": "integer",
                          "minimum": 0,
                          "maximum": 1000000000,
                          "description": "In minor units"
                        }
                      },
                      "additionalProperties": false
                    }
                  }
                },
                "additionalProperties": false
              },
              "CatalogueEventsProblem": {
                "type": "object",
                "required": ["type", "title", "status", "code"],
                "properties": {
                  "type": {"type": "string"},
                  "title": {"type": "string"},
                  "status": {"type": "integer"},
                  "detail": {"type": "string"},
                  "instance": {"type": "string"},
                  "code": {"type": "string"},
                  "field": {"type": "string"},
                  "allowed": {"type": "array", "items": {"type": "string"}}
                }
              }
            },
            "responses": {
              "CatalogueMalformed": {
                "description": "No JSON object, or no request",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueUnauthorized": {
                "description": "No token, or none of ours",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueForbidden": {
                "description": "A token of another role",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueNotFound": {
                "description": "There is none of this id",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueConflict": {
                "description": "It has changed since (version_differs), is canceled, taken (id_taken), in use \#
        (in_use) or one too many",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueTooLarge": {
                "description": "The body is too large",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueMediaType": {
                "description": "The body is not application/json",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueInvalid": {
                "description": "A parameter or member breaks its rule: field names it",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                }
              },
              "CatalogueUnavailable": {
                "description": "Try again later",
                "content": {
                  "application/problem+json": {"schema": {"$ref": "#/components/schemas/CatalogueEventsProblem"}}
                },
                "headers": {"Retry-After": {"schema": {"type": "integer"}}}
              }
            }
          }
        }
        """#
}
