/// What goes wrong with a simulated disk, and when.
struct SimulatedFault {
    enum Kind: CaseIterable {
        /// The machine is without power from this call on, until it is restarted.
        case powerCut
        /// The process is gone from this call on; what it wrote is in the operating system's cache.
        case kill
        /// ENOSPC from calls that make, link, reserve or write.
        case noSpace
        /// EIO from any call.
        case inputOutput
        /// EIO from a call that synchronizes.
        case synchronize
    }

    enum Call {
        case open
        case create
        case names
        case link
        case rename
        case remove
        case size
        case allocate
        case truncate
        case write
        case read
        case synchronize
    }

    var kind: Kind
    /// Calls that go well before it.
    var after: Int
    /// Calls that fail, of those that can.
    var count: Int

    func strikes(_ call: Call) -> Bool {
        switch kind {
        case .powerCut, .kill, .inputOutput: true
        case .noSpace: [.create, .link, .allocate, .write].contains(call)
        case .synchronize: call == .synchronize
        }
    }
}
