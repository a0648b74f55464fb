import Access
import Audit
import BrokerWire
import Cryptography
import Glibc
import Synchronization

/// Runs a command of the table in a process of its own, and passes on what it prints. Keys are in that process and in
/// the broker, never in the one that asked.
final class CommandRelay: Sendable {
    private let home: String
    private let log: AuditLog
    private let limit: Int
    private let workers = Mutex<Set<pid_t>>([])
    private let running = Atomic<Int>(0)
    /// Commands that only look, by user.
    private let lookers = Mutex<[UInt32: Int]>([:])
    private let inspections: Int
    private let inspectionsOfUser: Int
    private let isEnding = Atomic<Bool>(false)
    /// Gives the passphrase that the worker needs, where the root key comes from one.
    private let passphrase: (@Sendable () throws -> SecureBytes)?

    init(home: String, log: AuditLog, options: BrokerOptions, passphrase: (@Sendable () throws -> SecureBytes)?) {
        self.home = home
        self.log = log
        limit = options.commands
        inspections = options.inspections
        inspectionsOfUser = options.inspectionsOfUser
        self.passphrase = passphrase
    }

    /// Takes a connection over until the command has ended.
    ///
    /// - Returns: false where there are too many.
    func begin(_ arguments: [String], _ operation: Operation, columns: Int, _ connection: Connection) throws -> Bool {
        // Nothing begins that nobody would ask to end.
        guard running.add(1, ordering: .relaxed).newValue <= limit, !isEnding.load(ordering: .sequentiallyConsistent)
        else {
            running.subtract(1, ordering: .relaxed)
            return false
        }
        let looker = operation == .job ? nil : connection.caller.uid
        if let looker {
            // Who reads slowly what he asked for does not keep others from it, nor jobs from running.
            let mayLook = lookers.withLock { lookers in
                guard lookers.values.reduce(0, +) < inspections, lookers[looker, default: 0] < inspectionsOfUser else {
                    return false
                }
                lookers[looker, default: 0] += 1
                return true
            }
            guard mayLook else {
                running.subtract(1, ordering: .relaxed)
                return false
            }
        }
        do {
            let actor = AuditActor(connection.caller)
            let facts: [(name: String, value: AuditValue)] = [("command", .text(arguments.joined(separator: " ")))]
            // Looking is logged once, when it is over; what changes something is logged before it begins as well.
            if operation == .job { try log.append(AuditEvent(.job, .begun, by: actor, facts: facts), synced: false) }
            let worker = try spawn(arguments, columns: columns, connection.caller)
            try WorkThread.start { [self] in
                relay(worker, connection)
                let status = wait(worker)
                let event = AuditEvent(
                    .job, status == 0 ? .done : .failed, by: actor, facts: facts + [("exit", .number(Int64(status)))])
                // The client learns of the end only once it is in the log.
                let isLogged = (try? log.append(event, synced: false)) != nil
                let last: BrokerResponse =
                    isLogged
                    ? .ended(status: status)
                    : .failed(BrokerFailure(kind: "", message: "the audit log cannot be written", exit: 74))
                send(last, [], connection)
                ended(looker)
            }
        } catch {
            ended(looker)
            throw error
        }
        return true
    }

    private func ended(_ looker: UInt32?) {
        running.subtract(1, ordering: .relaxed)
        guard let looker else { return }
        lookers.withLock { lookers in
            let left = lookers[looker, default: 1] - 1
            lookers[looker] = left == 0 ? nil : left
        }
    }

    /// Asks all workers to end after the batch in work, and waits.
    func end(patience: Double) {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        // Under the lock: a number that was waited for may be another process's.
        workers.withLock { for worker in $0 { kill(worker, SIGTERM) } }
        let last = Monotonic.now + patience
        while running.load(ordering: .relaxed) > 0, Monotonic.now < last { usleep(20_000) }
    }

    private struct Worker: Sendable {
        var pid: pid_t
        var output: Int32
        var errors: Int32
    }

    private func spawn(_ arguments: [String], columns: Int, _ caller: Caller) throws -> Worker {
        // First, since it may fail; a passphrase is shorter than what a pipe holds.
        let passphrasePipe = try passphrase.map { try filledPipe($0()) }
        defer { if let passphrasePipe { close(passphrasePipe) } }
        let (outRead, outWrite) = try Pipe.make()
        defer { close(outWrite) }
        let errors: (read: Int32, write: Int32)
        do { errors = try Pipe.make() } catch {
            close(outRead)
            throw error
        }
        let (errRead, errWrite) = errors
        defer { close(errWrite) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outWrite, 1)
        posix_spawn_file_actions_adddup2(&actions, errWrite, 2)
        var words = ["keyroll"] + arguments + ["--home", home, "--broker", "none"]
        if let passphrasePipe {
            posix_spawn_file_actions_adddup2(&actions, passphrasePipe, 3)
            words += ["--passphrase-fd", "3"]
        }
        // The worker is not stopped with the broker by a terminal's Ctrl-C; and gets its signals as they are by default.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        // "--" would end the options; they come last, so names cannot be taken for them (the table refuses dashes).
        let argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let environment = Self.environment(columns: columns, caller)
        let envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv, envp)
        guard result == 0 else {
            close(outRead)
            close(errRead)
            throw BrokerFault("cannot start a worker: \(String(cString: strerror(result)).lowercased())")
        }
        workers.withLock { _ = $0.insert(pid) }
        if isEnding.load(ordering: .sequentiallyConsistent) { kill(pid, SIGTERM) }
        return Worker(pid: pid, output: outRead, errors: errRead)
    }

    private static func environment(columns: Int, _ caller: Caller) -> [String] {
        var entries: [String] = []
        var next = Glibc.environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !["NOTIFY_SOCKET=", "LISTEN_", "KEYROLL_"].contains(where: { text.hasPrefix($0) }) {
                entries.append(text)
            }
            next += 1
        }
        if columns > 0 { entries.append("KEYROLL_COLUMNS=\(columns)") }
        return entries + ["KEYROLL_ASKED_BY=\(caller.user) (uid \(caller.uid), process \(caller.pid))"]
    }

    /// - Returns: its reading end.
    private func filledPipe(_ secret: consuming SecureBytes) throws -> Int32 {
        let made = try Pipe.make()
        secret.withUnsafeBytes { _ = write(made.write, $0.baseAddress, $0.count) }
        _ = write(made.write, "\n", 1)
        close(made.write)
        return made.read
    }

    private func wait(_ worker: Worker) -> Int32 {
        // Its number stays its own until it is off the list.
        var information = siginfo_t()
        while waitid(P_PID, id_t(worker.pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        let status = workers.withLock { workers in
            var status: Int32 = 0
            while waitpid(worker.pid, &status, 0) < 0, errno == EINTR {}
            workers.remove(worker.pid)
            return status
        }
        // As a shell has it for a process that a signal ended.
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// Passes on until both pipes are at their end. A client that half-closes asks for an end after the batch in work;
    /// one that is gone leaves the command to itself.
    private func relay(_ worker: Worker, _ connection: Connection) {
        var open = [worker.output, worker.errors]
        var isThere = true
        var mayAsk = true
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // From here on a slow client waits for, a bounded time.
        _ = fcntl(connection.descriptor, F_SETFL, fcntl(connection.descriptor, F_GETFL) & ~O_NONBLOCK)
        var time = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(connection.descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        while !open.isEmpty {
            var waits = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if isThere, mayAsk {
                waits.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN | 0x2000), revents: 0))
            }
            guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
            for wait in waits where wait.revents != 0 {
                if wait.fd == connection.descriptor {
                    mayAsk = false
                    // POLLHUP: both directions; alone POLLRDHUP (0x2000): it only ended its own.
                    if wait.revents & Int16(POLLHUP) != 0 {
                        isThere = false
                    } else {
                        kill(worker.pid, SIGTERM)
                    }
                    continue
                }
                let count = read(wait.fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    close(wait.fd)
                    open.removeAll { $0 == wait.fd }
                    continue
                }
                if isThere {
                    isThere = send(.output(isError: wait.fd == worker.errors), buffer[..<count], connection)
                }
            }
        }
    }

    @discardableResult
    private func send(_ response: BrokerResponse, _ payload: ArraySlice<UInt8>, _ connection: Connection) -> Bool {
        payload.withUnsafeBytes { payload in
            var bytes = Frame.start(response.head, payload: payload.count)
            bytes.append(contentsOf: payload)
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(connection.descriptor, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
