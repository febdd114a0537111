package enum GzipError: Error, Equatable {
    /// Not gzip, cut short, or its checksum disagrees.
    case malformed
    /// Inflates to more bytes than the limit.
    case tooLarge(limit: Int)
}
