extension OpenAPI {
    /// What documents may refer to without having it, and the paths of `ServiceRoutes`.
    static let shared = #"""
        {
          "paths": {
            "/health": {
              "get": {
                "summary": "Alive",
                "security": [],
                "responses": {"200": {"$ref": "#/components/responses/Line"}}
              }
            },
            "/ready": {
              "get": {
                "summary": "Can serve: databases answer and are up to date, disks take what comes",
                "security": [],
                "responses": {"200": {"$ref": "#/components/responses/Line"}},
                "x-problems": [503]
              }
            },
            "/metrics": {
              "get": {
                "summary": "Prometheus text",
                "security": [],
                "responses": {"200": {"$ref": "#/components/responses/Line"}}
              }
            },
            "/openapi.json": {
              "get": {
                "summary": "This document",
                "security": [],
                "responses": {"200": {"description": "This document", "content": {"application/json": {}}}}
              }
            }
          },
          "components": {
            "securitySchemes": {
              "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of Users, EdDSA or ES256, whose `aud` names the service"
              }
            },
            "parameters": {
              "Limit": {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
              }
            },
            "headers": {
              "CacheControl": {"description": "For how long, and by whom, it may be kept", "schema": {"type": "string"}},
              "ETag": {"schema": {"type": "string"}},
              "Location": {"description": "Where it is", "schema": {"type": "string"}},
              "RetryAfter": {"description": "Seconds", "schema": {"type": "integer"}},
              "Vary": {"description": "Which header of the request it depends on", "schema": {"type": "string"}}
            },
            "responses": {
              "Line": {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}}}},
              "NotModified": {"description": "As it was: If-None-Match has its ETag"}
            },
            "schemas": {
              "UUID": {
                "type": "string",
                "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
              },
              "Problem": {
                "description": "RFC 9457; a problem may have further members, each a list of texts",
                "type": "object",
                "required": ["type", "title", "status", "code"],
                "properties": {
                  "type": {"type": "string"},
                  "title": {"type": "string"},
                  "status": {"type": "integer"},
                  "detail": {"type": "string"},
                  "instance": {"type": "string"},
                  "code": {"type": "string"},
                  "field": {"type": "string", "description": "The parameter or member at fault"},
                  "allowed": {"type": "array", "items": {"type": "string"}, "description": "What it may be"}
                },
                "additionalProperties": {"type": "array", "items": {"type": "string"}}
              }
            }
          }
        }
        """#
}
