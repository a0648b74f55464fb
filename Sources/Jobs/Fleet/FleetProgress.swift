import Dispatch
import Rotation
import SecretStores

/// Shows what all workers of a job have done together, in the control that the command draws its bar from.
final class FleetProgress: @unchecked Sendable {
    // @unchecked: what it has never changes.
    private let stores: [any FleetStore]
    private let job: String
    private let control: RunControl
    private let timer: any DispatchSourceTimer

    init(_ stores: [any FleetStore], job: String, control: RunControl) {
        self.stores = stores
        self.job = job
        self.control = control
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "keyroll.fleet"))
        timer.schedule(deadline: .now() + .milliseconds(500), repeating: .seconds(1))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.activate()
    }

    func end() { timer.cancel() }

    private func look() {
        // A server that is away shows nothing new; who works there finds out and says so.
        guard let jobs = try? stores.compactMap({ try $0.fleetJob(job) }), !jobs.isEmpty,
            let total = try? stores.reduce(0, { try $0 + $1.census().total })
        else { return }
        let workers = jobs.flatMap(\.workers)
        let busy = Set(workers.filter { $0.silentFor < 10 }.map { "\($0.host)/\($0.process)" }).count
        control.show(
            "rewrap, \(busy) workers", handled: Int(workers.reduce(0) { $0 + $1.handled }), total: Int(total))
    }
}
