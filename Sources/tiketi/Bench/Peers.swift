/// What others reach with the same work on the same kind of machine: two cores, Debian 12, their servers on the same
/// cores as the load.
enum Peers {
    static let singleRequests = [
        Figure.Peer("nginx return 204 (earlier)", 105_000...127_000),
        Figure.Peer("VictoriaLogs, acks from memory", 9000...28_000),
        Figure.Peer("Express + INCR + INSERT", 2800...3200),
        Figure.Peer("FastAPI + asyncpg + redis-py", 1800...2000),
        Figure.Peer("RudderStack, durable", 1700),
    ]
    static let singleAckP99 = [Figure.Peer("VictoriaLogs, acks from memory", 26)]
    static let batchBeacons = [
        Figure.Peer("ClickHouse JSONEachRow, 1 thread", 300_000),
        Figure.Peer("ClickHouse JSONEachRow, 2 threads", 437_000),
        Figure.Peer("TimescaleDB COPY", 337_000),
        Figure.Peer("VictoriaLogs, acks from memory", 253_000...300_000),
    ]
    static let bytesPerBeacon = [
        Figure.Peer("ClickHouse LZ4, by time / by artist", 48.1...54.0),
        Figure.Peer("TimescaleDB compressed", 66.7),
        Figure.Peer("VictoriaLogs", 40.0),
    ]
    static let fold = [
        Figure.Peer("ClickHouse, 1 thread, without sessions", 7_100_000),
        Figure.Peer("ClickHouse, 1 thread, with sessions", 2_300_000),
        Figure.Peer("TimescaleDB cagg, without sessions", 490_000),
    ]
    static let scan = [
        Figure.Peer("ClickHouse count and sum, 1 thread", 223_000_000), Figure.Peer("TimescaleDB", 32_000_000),
    ]
    static let visible = [
        Figure.Peer("ClickHouse async insert", 1000), Figure.Peer("pg_incremental, by its schedule", 60_000),
    ]
    /// pretix 2026.8 (gunicorn, Postgres, Redis) with 8 to 32 clients.
    static let bookings = [
        Figure.Peer("pretix, orders by its API", 11.5...13.8), Figure.Peer("pretix, shop journeys", 2.1),
    ]
    /// In one of three runs its shop sold 301 of 300.
    static let soldTwice = [Figure.Peer("pretix, shop journeys for 300", 0...1)]
    static let requests = [Figure.Peer("service level of the plan", 2000)]
    static let requestP99 = [Figure.Peer("service level of the plan", 500)]
}
