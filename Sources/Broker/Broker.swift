public import Access
public import Audit
import BrokerWire
public import Cryptography
import Files
import CSystem
import Glibc
public import Home
import KeyManagement
import Synchronization

/// The service that alone has the keys: applications and people ask it over a Unix socket, it knows them by the kernel,
/// decides by their roles and grants, and logs.
public final class Broker: Sendable {
    private let options: BrokerOptions
    private let layout: HomeLayout
    private let reopen: @Sendable () throws -> Home
    private let reactor: Reactor
    private let shared: Service.Shared
    private let log: AuditLog
    /// The log signs with this one's keys, also once another has taken its place.
    private let first: Home
    /// One broker for a home: its requests and grants are in memory.
    private nonisolated(unsafe) let lock: OwnerLock
    // nonisolated(unsafe): taken once and only held.
    private let logInode: UInt64
    private let isEnding = Atomic<Bool>(false)

    /// Opens everything and takes the socket; nobody is served before ``run(until:)``.
    ///
    /// - Parameters:
    ///   - home: the open home; it has to have a policy of access.
    ///   - reopen: opens the home again, when its configuration changed or a store could not be reached.
    ///   - passphrase: gives the root key's passphrase to workers, where there is one.
    ///   - options: limits, and where the socket is.
    ///   - log: the audit log.
    ///   - seal: a MAC under a key of the home, for requests that are kept.
    ///   - exit: the command's exit code for an error.
    /// - Throws: `AccessError` with `policy`, `FileError`, ``BrokerFault``, `AuditError`.
    public init(
        _ home: Home, reopen: @escaping @Sendable () throws -> Home, passphrase: (@Sendable () throws -> SecureBytes)?,
        options: BrokerOptions, log: AuditLog, seal: @escaping CaseFolder.Seal,
        exit: @escaping @Sendable (any Error) -> Int32
    ) throws {
        self.options = options
        self.reopen = reopen
        self.log = log
        first = home
        layout = home.layout
        let standing = try Standing(home)
        lock = try OwnerLock.take(
            home.layout.path + "/broker.lock", owner: "keyroll broker at \(options.socket), process \(getpid())")
        try log.sync()
        logInode = Standing.Stamp(home.layout.audit + "/head").inode
        let clock = SteadyClock(notBefore: log.lastMoment, source: Self.reading)
        let desk = try AccessDesk(
            CaseFolder(path: home.layout.access, seal: seal), log: log, logFolder: home.layout.audit, clock: clock,
            policy: standing.rules.policy)
        let relay = CommandRelay(
            home: home.layout.path, log: log, options: options, passphrase: passphrase)
        shared = Service.Shared(
            standing, log: log, desk: desk, relay: relay, clock: clock,
            changesAtMost: options.changes, refusals: options.refusals, exit: exit)
        Self.raiseDescriptorLimit()
        // Large secrets pass through; a service that runs for months must not keep the room of all that ever did at once.
        keyroll_give_back_from(256 << 10)
        reactor = try Reactor(ListeningSocket(path: options.socket), options)
    }

    /// Serves until ``stop()``.
    ///
    /// - Parameter note: gets lines for people.
    /// - Throws: ``BrokerFault``; what the log throws.
    public func run(note: @escaping @Sendable (String) -> Void) throws {
        try log.append(
            AuditEvent(
                .brokerStart, .done, by: .own(),
                facts: [
                    ("socket", .text(options.socket)), ("policyRevision", .number(Int64(shared.standing.revision))),
                ]),
            synced: true)
        let shared = shared
        try reactor.start { Service(shared) }
        ServiceManager.tell("READY=1\nSTATUS=group \(shared.standing.rules.policy.group)")
        var ended = shared.desk.alreadyEnded(shared.standing.rules)
        var seconds = 0
        while !isEnding.load(ordering: .sequentiallyConsistent) {
            // A second at a time, but an end is answered sooner.
            for _ in 0..<10 where !isEnding.load(ordering: .relaxed) { usleep(100_000) }
            seconds += 1
            do { try tick(seconds, &ended) } catch  where Self.isFatal(error) {
                // Nothing can be logged any more, or the keys are others now; a new process looks at what there is first.
                ServiceManager.tell("STOPPING=1")
                shared.relay.end(patience: 60)
                reactor.end(patience: 30)
                throw error
            } catch { note("\(error)") }
        }
        ServiceManager.tell("STOPPING=1")
        shared.relay.end(patience: 60)
        reactor.end(patience: 30)
        try log.append(AuditEvent(.brokerStop, .done, by: .own()), synced: true)
        try log.close()
    }

    /// Ends ``run(note:)`` once what is being served is done. May be called by any thread.
    public func stop() { isEnding.store(true, ordering: .sequentiallyConsistent) }

    /// Once a second: what other processes changed is taken over.
    private func tick(_ second: Int, _ ended: inout Set<String>) throws {
        let isMinute = second % 60 == 0
        reactor.tick(forgetsRates: isMinute)
        try log.sync()
        guard Standing.Stamp(layout.audit + "/head").inode == logInode else {
            throw AuditError(
                .altered, "\(layout.audit): the audit log was taken away or replaced while it was written to")
        }
        try shared.desk.keepUnsaved()
        let standing = shared.standing
        try shared.desk.logEnds(standing.rules, ended: &ended)
        try shared.desk.keepTime(standing.rules)
        let isConfigured = Standing.Stamp(layout.configuration) == standing.configuration
        if !isConfigured || (second % 30 == 0 && !standing.home.unreachable.isEmpty) {
            shared.standing = try Standing(reopen())
            return
        }
        try standing.home.keeper.reload()
        // Users and groups of this machine may have changed, too.
        let revision = standing.home.keeper.keyring.ring.access?.revision
        if revision != standing.revision || isMinute {
            shared.standing = try Standing(standing.home)
            reactor.tick(forgetsRates: true)
        }
    }

    private static func isFatal(_ error: any Error) -> Bool {
        switch error {
        case let error as AuditError: [.syncFailed, .closed, .altered].contains(error.code)
        case let error as KeyManagementError: error.code == .wrongRootKey
        default: false
        }
    }

    private static let reading: @Sendable () -> SteadyClock.Reading = {
        let boot = BootTime.now()
        return SteadyClock.Reading(wall: .now, boot: boot.identity, seconds: boot.seconds)
    }

    /// Idle clients take a descriptor each.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(kind, &limit)
    }
}
