import Storage
import Testing

@Suite struct Argon2idTests {
    /// The first is of the reference implementation's own tests; the others were made with argon2-cffi 25.1.
    @Test(
        arguments: [
            (
                "password", "somesalt", 65_536, 2,
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
            ),
            (
                "correct horse battery staple", "0123456789abcdef", 19_456, 2,
                "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0"
            ),
            (
                "비밀번호\0끝", "saltsaltsaltsalt", 19_456, 2,
                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$p2bIPnRsv45fX/QDjUNoz2PZsjxQuUngIuoD6ssRS7U"
            ),
        ] as [(String, String, UInt32, UInt32, String)])
    func itIsTheReferences(password: String, salt: String, memory: UInt32, passes: UInt32, encoded: String) throws {
        let parameters = Argon2id.Parameters(memoryKiB: memory, passes: passes, lanes: 1)
        let hash = try Argon2id.hash(Array(password.utf8), salt: Array(salt.utf8), parameters: parameters)
        #expect(hash == encoded)
        #expect(Argon2id.verify(Array(password.utf8), encoded: encoded))
        #expect(!Argon2id.verify(Array(password.utf8.dropLast()), encoded: encoded))
        #expect(Argon2id.parameters(of: encoded) == parameters)
    }

    @Test(arguments: [
        "", "$", "plain", "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=19456,t=2$c29tZXNhbHQ$AAAA",
        // Beyond the bounds, so not even tried.
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=19456,t=99,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ])
    func whatIsNoHashOfOursFitsNothing(_ encoded: String) {
        #expect(!Argon2id.verify(Array("password".utf8), encoded: encoded))
    }

    @Test func whatTheLibraryRefusesIsThrown() {
        #expect(throws: Argon2id.Failed.self) { try Argon2id.hash([], salt: [1, 2, 3]) }
    }
}
