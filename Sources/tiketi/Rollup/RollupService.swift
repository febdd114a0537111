import Rollup
import ServiceLifecycle

/// Follows what is stored until told to stop.
struct RollupService: Service {
    let rollup: Rollup

    func run() async throws {
        await cancelWhenGracefulShutdown { await rollup.follow() }
    }
}
