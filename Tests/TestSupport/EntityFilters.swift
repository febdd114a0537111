package import Storage

/// How many stored batches have another entity filter than their block's, or none.
package func batchesWithoutTheirFilter(_ pool: PostgresPool) async throws -> Int {
    try await pool.withConnection { connection in
        try connection.query("SELECT payload, crc, entity_filter FROM analytics_events").count { row in
            let batch = try row.withBytes(0) { try BatchBlock.decode($0) }
            let crc = UInt32(try row.get(1, as: Int64.self))
            return try row.get(2, as: [UInt8]?.self) != EntityFilter.encode(batch, ofBlock: crc)
        }
    }
}
