extension UserService {
    package static let openAPI = #"{"openapi":"3.1.0","info":{"title":"Tiketi: users","version":"1"},"paths":{}}"#
}
