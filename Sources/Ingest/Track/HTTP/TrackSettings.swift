package import NIOCore
package import Platform

/// The bounds and policies of the track endpoint.
package struct TrackSettings: Sendable {
    /// Of a request's body as it comes over the wire.
    package var maxBodyBytes = 1 << 20
    package var maxInflatedBytes = 16 << 20
    /// Bodies and records that this process holds at once, from the first byte read to the answer.
    package var maxInFlightBytes = 256 << 20
    /// What is still read, and thrown away, of a body that was refused: long enough that a client reads the answer
    /// instead of failing to write.
    package var maxDrainBytes = 8 << 20
    package var maxDrainTime = TimeAmount.seconds(5)
    /// How long `?wait=stored` waits for Postgres. Then the answer is 202: the beacons are on disk, and will be stored.
    package var maxStoredWait = TimeAmount.seconds(30)
    /// Requests a second; 0 is no limit.
    package var ratePerClient = 0
    /// Beacons a second of one artist, for each event loop: what is above goes into the overflow lane. 0 is no limit.
    package var hotArtistRate = 0
    package var cors = CORSPolicy.any
    package var trustedProxies = TrustedProxies.none

    package init() {}
}
