package import Core

/// Which columns of a block to decode.
package struct ColumnSet: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ column: BlockColumn) { self.init(rawValue: 1 << UInt32(column.rawValue)) }

    package init(_ text: BeaconBatch.Text) { self.init(BlockColumn(text)) }

    package static let receivedAt = ColumnSet(BlockColumn.receivedAt)
    package static let timestamp = ColumnSet(BlockColumn.timestamp)
    package static let claimed = ColumnSet(BlockColumn.claimed)
    package static let flags = ColumnSet(BlockColumn.flags)
    package static let eventType = ColumnSet(BlockColumn.eventType)
    package static let artistId = ColumnSet(BlockColumn.artistId)
    package static let eventId = ColumnSet(BlockColumn.eventId)
    package static let visitorId = ColumnSet(BlockColumn.visitorId)
    package static let sessionId = ColumnSet(BlockColumn.sessionId)
    package static let messageId = ColumnSet(BlockColumn.messageId)
    package static let clientHash = ColumnSet(BlockColumn.clientHash)
    package static let path = ColumnSet(BlockColumn.path)
    package static let referrer = ColumnSet(BlockColumn.referrer)
    package static let userAgent = ColumnSet(BlockColumn.userAgent)
    package static let country = ColumnSet(BlockColumn.country)
    package static let metadata = ColumnSet(BlockColumn.metadata)

    package static let all = ColumnSet(rawValue: 1 << UInt32(BlockColumn.allCases.count) - 1)

    func contains(_ column: BlockColumn) -> Bool { contains(ColumnSet(column)) }
}
