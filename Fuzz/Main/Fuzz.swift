import FuzzTargets
import Glibc

/// What `TIKETI_FUZZ_TARGET` names.
private let target: FuzzTarget = {
    guard let name = getenv("TIKETI_FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
        fatalError("TIKETI_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return target
}()

/// libFuzzer's `main` calls this with one input after another.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    do { try target(UnsafeRawBufferPointer(start: bytes, count: count)) } catch { fatalError("\(error)") }
    return 0
}
