extension UserService {
    /// What `/openapi.json` answers. Written by hand; a test holds it against the routes and the bounds.
    package static let openAPI = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "Tiketi: users",
            "version": "1",
            "description": "Registering, signing in with a password or with Google, one's own profile, and the keys \#
        that other services check access tokens with."
          },
          "paths": {
            "/api/users/register": {
              "post": {
                "operationId": "register",
                "summary": "Register",
                "description": "Answers the same for an address that has an account: its owner gets a mail. Who has \#
        registered confirms the address with the mailed code and the password; where the service is set up so \#
        (LOGIN_NEEDS_CONFIRMED_EMAIL), logging in waits for that.",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["email", "password", "name"],
                        "properties": {
                          "email": {"$ref": "#/components/schemas/Email"},
                          "password": {"$ref": "#/components/schemas/NewPassword"},
                          "name": {"$ref": "#/components/schemas/Name"}
                        }
                      }
                    }
                  }
                },
                "responses": {"202": {"$ref": "#/components/responses/Accepted"}},
                "x-problems": [400, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/login": {
              "post": {
                "operationId": "logIn",
                "summary": "Log in",
                "description": "An unknown address, a wrong password, an account without one and, where the service is \#
        set up so, an address that is not confirmed are answered alike. 429 tells how long to wait.",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["email", "password"],
                        "properties": {
                          "email": {"$ref": "#/components/schemas/Email"},
                          "password": {"$ref": "#/components/schemas/Password"}
                        }
                      }
                    }
                  }
                },
                "responses": {"200": {"$ref": "#/components/responses/SignedIn"}},
                "x-problems": [400, 401, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/refresh": {
              "post": {
                "operationId": "refresh",
                "summary": "Have a new access token",
                "description": "A refresh token is good once; for ten seconds it may come again, from another tab. \#
        Later the session ends.",
                "tags": ["users"],
                "security": [{"session": []}],
                "parameters": [{"$ref": "#/components/parameters/SameSite"}],
                "responses": {"200": {"$ref": "#/components/responses/SignedIn"}},
                "x-problems": [401, 403, 429, 503]
              }
            },
            "/api/users/logout": {
              "post": {
                "operationId": "logOut",
                "summary": "Log out",
                "tags": ["users"],
                "security": [{"session": []}, {}],
                "parameters": [{"$ref": "#/components/parameters/SameSite"}],
                "responses": {"204": {"description": "The session, if there was one, is over"}},
                "x-problems": [403, 429, 503]
              }
            },
            "/api/users/verify": {
              "get": {
                "operationId": "verifyToken",
                "summary": "What the bearer's token allows",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "responses": {
                  "200": {
                    "description": "The token is good",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Introspection"}}}
                  }
                },
                "x-problems": [401, 403, 503]
              }
            },
            "/api/users/profile": {
              "get": {
                "operationId": "profile",
                "summary": "One's own profile",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "responses": {
                  "200": {
                    "description": "The profile",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Profile"}}}
                  }
                },
                "x-problems": [401, 403, 503]
              },
              "put": {
                "operationId": "changeProfile",
                "summary": "Change one's name",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["name"],
                        "properties": {"name": {"$ref": "#/components/schemas/Name"}}
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The profile",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Profile"}}}
                  }
                },
                "x-problems": [400, 401, 403, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/password": {
              "put": {
                "operationId": "changePassword",
                "summary": "Change one's password",
                "description": "Ends the account's other sessions. Users takes none of its access tokens any more, \#
        also not the one that asks (refresh); other services none after eleven minutes.",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["currentPassword", "newPassword"],
                        "properties": {
                          "currentPassword": {"$ref": "#/components/schemas/Password"},
                          "newPassword": {"$ref": "#/components/schemas/NewPassword"}
                        }
                      }
                    }
                  }
                },
                "responses": {"204": {"description": "Changed; the account's other sessions are over"}},
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/password/forgot": {
              "post": {
                "operationId": "forgotPassword",
                "summary": "Ask for a mail with which to set a new password",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["email"],
                        "properties": {"email": {"$ref": "#/components/schemas/Email"}}
                      }
                    }
                  }
                },
                "responses": {"202": {"$ref": "#/components/responses/Accepted"}},
                "x-problems": [400, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/password/reset": {
              "post": {
                "operationId": "resetPassword",
                "summary": "Set a new password with a mailed code",
                "description": "The code is good once, for ten minutes. All sessions of the account end, Users \#
        takes none of its access tokens any more, other services none after eleven minutes, and Google no longer signs in to it.",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["code", "newPassword"],
                        "properties": {
                          "code": {"$ref": "#/components/schemas/Code"},
                          "newPassword": {"$ref": "#/components/schemas/NewPassword"}
                        }
                      }
                    }
                  }
                },
                "responses": {"204": {"description": "Set; all of the account's sessions are over"}},
                "x-problems": [400, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/email/verify": {
              "post": {
                "operationId": "verifyEmail",
                "summary": "Confirm one's address with a mailed code",
                "description": "Needs the account's password, or a token of it: a code alone would make a password \#
        good that a stranger has chosen. 401 `login_required` where there is neither.",
                "tags": ["users"],
                "security": [{}, {"bearer": []}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["code"],
                        "properties": {
                          "code": {"$ref": "#/components/schemas/Code"},
                          "password": {
                            "anyOf": [{"$ref": "#/components/schemas/Password"}, {"type": "null"}]
                          }
                        }
                      }
                    }
                  }
                },
                "responses": {"204": {"description": "Confirmed"}},
                "x-problems": [400, 401, 403, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/email/resend": {
              "post": {
                "operationId": "resendVerification",
                "summary": "Have another mail that confirms one's address",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": false,
                  "content": {
                    "application/json": {"schema": {"type": "object", "additionalProperties": false, "properties": \#
        {}}}
                  }
                },
                "responses": {"202": {"$ref": "#/components/responses/Accepted"}},
                "x-problems": [400, 401, 403, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/providers": {
              "get": {
                "operationId": "providers",
                "summary": "With what one can sign in here besides a password",
                "tags": ["users"],
                "security": [],
                "responses": {
                  "200": {
                    "description": "Those that are set up",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Providers"}}}
                  }
                }
              }
            },
            "/api/users/google": {
              "get": {
                "operationId": "beginGoogle",
                "summary": "Sign in with Google by its redirect",
                "tags": ["users"],
                "security": [],
                "responses": {"302": {"description": "To Google", "headers": {"Location": {"schema": {"type": \#
        "string"}}}}},
                "x-problems": [404, 429, 503]
              }
            },
            "/api/users/google/callback": {
              "get": {
                "operationId": "googleCallback",
                "summary": "Where Google sends the browser back to",
                "tags": ["users"],
                "security": [],
                "parameters": [
                  {"name": "state", "in": "query", "required": false, "schema": {"type": "string"}},
                  {"name": "code", "in": "query", "required": false, "schema": {"type": "string"}},
                  {"name": "error", "in": "query", "required": false, "schema": {"type": "string"}}
                ],
                "responses": {
                  "302": {
                    "description": "To `/auth/callback` of the site, with `#code=` to exchange, `#linked=google`, \#
        or `#error=` and a code",
                    "headers": {"Location": {"schema": {"type": "string"}}}
                  }
                },
                "x-problems": [404, 429, 503]
              }
            },
            "/api/users/google/nonce": {
              "get": {
                "operationId": "googleNonce",
                "summary": "A nonce for an id token that the browser gets from Google itself",
                "tags": ["users"],
                "security": [],
                "responses": {
                  "200": {
                    "description": "Good once, for this browser, for ten minutes",
                    "headers": {
                      "Set-Cookie": {"description": "Binds the nonce to the browser", "schema": {"type": "string"}}
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nonce"}}}
                  }
                },
                "x-problems": [404, 429, 503]
              }
            },
            "/api/users/google/exchange": {
              "post": {
                "operationId": "exchangeGoogleCode",
                "summary": "Make a session of the code that the callback gave",
                "description": "Good once, for a minute, in the browser that began.",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["code"],
                        "properties": {"code": {"$ref": "#/components/schemas/Code"}}
                      }
                    }
                  }
                },
                "responses": {"200": {"$ref": "#/components/responses/SignedIn"}},
                "x-problems": [400, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/google/link": {
              "post": {
                "operationId": "linkGoogle",
                "summary": "Add Google to one's account",
                "description": "Only once the account's address is confirmed, and with its password, if it has one: 403 \#
        `password_needed` without, `wrong_password` with another.",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": false,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CurrentPassword"}}
                  }
                },
                "responses": {
                  "200": {
                    "description": "Where to send the browser",
                    "headers": {
                      "Set-Cookie": {"description": "Binds what follows to the browser", "schema": {"type": "string"}}
                    },
                    "content": {
                      "application/json": {
                        "schema": {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}
                      }
                    }
                  }
                },
                "x-problems": [400, 401, 403, 404, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/google/unlink": {
              "post": {
                "operationId": "unlinkGoogle",
                "summary": "Take Google away from one's account",
                "description": "Needs the account's password, as linking does. Ends the account's other sessions; Users takes \#
        none of its access tokens any more, other services none after eleven minutes. 409 `last_way_in` \#
        where the account has no password.",
                "tags": ["users"],
                "security": [{"bearer": []}],
                "requestBody": {
                  "required": false,
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CurrentPassword"}}
                  }
                },
                "responses": {"204": {"description": "Google does not sign in to it, be it that it never did"}},
                "x-problems": [400, 401, 403, 409, 413, 415, 422, 429, 503]
              }
            },
            "/api/users/google-login": {
              "post": {
                "operationId": "googleLogin",
                "summary": "Sign in with an id token of Google's",
                "tags": ["users"],
                "security": [],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["idToken"],
                        "properties": {
                          "idToken": {"type": "string", "minLength": 1, "maxLength": 16384, "pattern": \#
        "^[A-Za-z0-9_.-]+$"},
                          "nonce": {"type": ["string", "null"], "minLength": 1, "maxLength": 128, "pattern": \#
        "^[!-~]+$"}
                        }
                      }
                    }
                  }
                },
                "responses": {"200": {"$ref": "#/components/responses/SignedIn"}},
                "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 429, 503]
              }
            },
            "/.well-known/jwks.json": {
              "get": {
                "operationId": "keySet",
                "summary": "The public keys of access tokens",
                "tags": ["users"],
                "security": [],
                "responses": {
                  "200": {
                    "description": "RFC 7517; one or two keys",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["keys"],
                          "properties": {
                            "keys": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "object"}}
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          },
          "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "__Host-tiketi-refresh"}},
            "parameters": {
              "SameSite": {
                "name": "X-Tiketi-Request",
                "in": "header",
                "required": false,
                "description": "Needed outside a browser: requests of other sites' pages can't have it. Inside one, \#
        Sec-Fetch-Site or Origin tells.",
                "schema": {"const": "1"}
              }
            },
            "responses": {
              "SignedIn": {
                "description": "Signed in: an access token, and the refresh token in a cookie that takes an older \#
        one's place",
                "headers": {
                  "Set-Cookie": {
                    "description": "The refresh token and the device, in `__Host-` cookies",
                    "schema": {"type": "string"}
                  }
                },
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Session"}}}
              },
              "Accepted": {
                "description": "Accepted, whether or not there is such an account",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}}
              }
            },
            "schemas": {
              "Email": {
                "type": "string",
                "minLength": 6,
                "maxLength": 254,
                "pattern": \#
        "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9]([A-Za-\#
        z0-9-]{0,61}[A-Za-z0-9])?$"
              },
              "Password": {
                "type": "string",
                "minLength": 1,
                "maxLength": 256,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
              },
              "CurrentPassword": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                  "currentPassword": {
                    "description": "Needed where the account has one",
                    "anyOf": [{"$ref": "#/components/schemas/Password"}, {"type": "null"}]
                  }
                }
              },
              "NewPassword": {
                "description": "None of the 3,000 commonest, nor the e-mail address",
                "type": "string",
                "minLength": 8,
                "maxLength": 256,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
              },
              "Name": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
              },
              "Code": {
                "type": "string",
                "minLength": 43,
                "maxLength": 43,
                "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
              },
              "Accepted": {"type": "object", "required": ["status"], "properties": {"status": {"const": "accepted"}}},
              "User": {
                "type": "object",
                "required": ["id", "email", "emailVerified", "name", "role", "createdAt"],
                "properties": {
                  "id": {"type": "string", "format": "uuid"},
                  "email": {"type": "string"},
                  "emailVerified": {"type": "boolean"},
                  "name": {"type": "string"},
                  "role": {"enum": ["user", "analyst", "admin"]},
                  "createdAt": {"type": "string", "format": "date-time"}
                }
              },
              "Profile": {
                "allOf": [
                  {"$ref": "#/components/schemas/User"},
                  {
                    "type": "object",
                    "required": ["hasPassword", "providers"],
                    "properties": {
                      "hasPassword": {"type": "boolean"},
                      "providers": {"type": "array", "items": {"enum": ["google"]}}
                    }
                  }
                ]
              },
              "Session": {
                "type": "object",
                "required": ["accessToken", "tokenType", "expiresIn", "user"],
                "properties": {
                  "accessToken": {"type": "string"},
                  "tokenType": {"const": "Bearer"},
                  "expiresIn": {"description": "Seconds", "type": "integer"},
                  "user": {"$ref": "#/components/schemas/User"}
                }
              },
              "Introspection": {
                "type": "object",
                "required": ["active", "userId", "role", "audience", "expiresAt", "user"],
                "properties": {
                  "active": {"const": true},
                  "userId": {"type": "string", "format": "uuid"},
                  "role": {"enum": ["user", "analyst", "admin"]},
                  "audience": {"type": "array", "items": {"type": "string"}},
                  "expiresAt": {"type": "string", "format": "date-time"},
                  "user": {"$ref": "#/components/schemas/User"}
                }
              },
              "Providers": {
                "type": "object",
                "required": ["providers"],
                "properties": {"providers": {"type": "array", "maxItems": 1, "items": {"enum": ["google"]}}}
              },
              "Nonce": {
                "type": "object",
                "required": ["nonce", "clientId"],
                "properties": {"nonce": {"type": "string"}, "clientId": {"type": "string"}}
              }
            }
          }
        }
        """#
}
