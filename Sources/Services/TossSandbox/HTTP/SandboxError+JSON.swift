import Platform

extension SandboxError {
    var json: JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.member("code", code)
            json.member("message", message)
        }
        return json
    }
}
