import Archives
import Cryptography
import Files
import KeyManagement
import SecretStores

/// What a ring that is built anew holds: decided from what bundles, stores and the unreadable ring tell.
struct RecoveryPlan {
    private(set) var generations: [RebuiltGeneration] = []
    /// Generations that stores need and no bundle gives.
    private(set) var missing: [UInt32] = []

    /// What the stores tell.
    struct Stores {
        var fence: UInt32 = 0
        var marks: [UInt32: GenerationMark] = [:]
        var census = Census()
    }

    /// - Parameters:
    ///   - bundles: what could be opened.
    ///   - stores: what the stores tell.
    ///   - hint: the ring that cannot be opened, unauthenticated: only what makes a generation worse is believed.
    ///   - restoration: put what has a key on line for a time only, and make nothing active.
    ///   - now: this machine's clock.
    /// - Throws: ``CustodyError`` with `doesNotBelong`, naming the generation.
    init(
        _ bundles: BundleCollection, _ stores: Stores, hint: Ring?, restoration: Restoration?, now: Timestamp
    ) throws {
        let numbers = Set(bundles.entries.keys).union(stores.marks.keys).sorted()
        for number in numbers {
            let entry = bundles.entries[number]
            let mark = stores.marks[number]
            if let entry, let mark {
                guard entry.bundle.identity == mark.identity, entry.bundle.checkValue == mark.checkValue else {
                    throw CustodyError(
                        .doesNotBelong,
                        "\(entry.bundle.place): holds another generation \(number) than the store knows; nothing was changed"
                    )
                }
            }
            // A key above every fence protected nothing here: it is not needed, and it could be anybody's.
            let isNeeded = number <= stores.fence && (stores.census[number] > 0 || number == stores.fence)
            if entry == nil, stores.census[number] > 0 { missing.append(number) }
            guard let identity = entry?.bundle.identity ?? mark?.identity,
                let checkValue = entry?.bundle.checkValue ?? mark?.checkValue
            else { continue }
            var history =
                entry?.bundle.history ?? [
                    .init(
                        state: .preActivation, at: Timestamp(rawValue: 0), sequence: 0,
                        reason: "known from a store only")
                ]
            func add(_ state: GenerationState, _ reason: String, occurred: Timestamp? = nil) {
                guard history.last?.state.successors.contains(state) == true else { return }
                history.append(
                    .init(
                        state: state, at: now, sequence: (history.last?.sequence ?? 0) + 1, reason: reason,
                        occurred: occurred))
            }
            let why = "recovered from its bundle"
            if number <= stores.fence { add(.active, why) }
            if number < stores.fence || entry == nil || restoration != nil { add(.deactivated, why) }
            let known = hint?.generation(number)
            if let mark = known?.history.last(where: { $0.state == .compromised }), known?.identity == identity {
                add(.compromised, mark.reason, occurred: mark.occurred)
            }
            if known?.state == .destroyed, known?.identity == identity { add(.destroyed, "destroyed before") }
            let puts = entry != nil && number <= stores.fence && (restoration != nil || isNeeded)
            var destruction = known?.identity == identity ? known?.destruction : nil
            if stores.census[number] > 0 || history.last?.state == .destroyed { destruction = nil }
            generations.append(
                RebuiltGeneration(
                    number: number, identity: identity, checkValue: checkValue, history: history,
                    key: puts ? entry?.key : nil, restoration: puts ? restoration : nil, destruction: destruction))
        }
    }
}
