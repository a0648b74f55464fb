import Dispatch
import Files
import Glibc

/// Bringing lines to the disk: everybody who waits shares one sync, and nobody is woken while nothing is to be done.
extension AuditLog {
    /// After an append: waits for the disk, or sees to it that it is reached soon. `monitor` is held.
    func settle(_ synced: Bool) throws {
        if synced { return try syncThrough(written) }
        guard !isScheduled, onDisk < written else { return }
        isScheduled = true
        queue.asyncAfter(deadline: .now() + .milliseconds(Self.syncDelay)) { [self] in
            monitor.locked {
                isScheduled = false
                // A failure is kept, and the next append throws it.
                try? syncThrough(written)
            }
        }
    }

    /// Returns once the first `target` entries of this process are on the disk. `monitor` is held, and given up while
    /// the disk works.
    func syncThrough(_ target: UInt64) throws {
        while onDisk < target {
            if let failure { throw failure }
            guard !isSyncing, let segment else {
                monitor.wait()
                continue
            }
            isSyncing = true
            let (reached, position, moment) = (written, AuditPosition(number: number, hash: hash.text), latest)
            monitor.unlock()
            let result = fdatasync(segment.descriptor)
            monitor.lock()
            isSyncing = false
            defer { monitor.wake() }
            guard result == 0 else { throw syncFailed(segment) }
            onDisk = max(onDisk, reached)
            // Only what is on the disk may be noted: a log that ends before its mark is taken for cut off.
            try note(position, moment)
        }
    }

    /// Writes the head mark. Where that cannot be done the older one stays, which holds as well.
    private func note(_ position: AuditPosition, _ moment: Timestamp?) throws {
        do {
            try headFile.locked { try headFile.note(position, latest: moment ?? .now, seal) }
        } catch let error as AuditError where error.code == .closed {
            failure = error
            throw error
        } catch {}
    }

    /// A sync that failed once tells nothing when it is tried again: the kernel may have thrown the pages away.
    func syncFailed(_ segment: Segment) -> AuditError {
        let reason = String(cString: strerror(errno)).lowercased()
        let error = AuditError(
            .syncFailed,
            "\(segment.path): cannot sync: \(reason); this log takes nothing more until keyroll is started again")
        failure = error
        return error
    }
}
