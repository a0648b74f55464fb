import KeyManagement
import SecretStores

/// What the quarantine tells of generations.
struct QuarantineView {
    /// Secrets that an operator accepted as lost, by generation: they stay in their slots and need nothing.
    private(set) var accepted: [UInt32: Int64] = [:]
    /// Of the others, those that name no generation of this ring: they could be any one's.
    private(set) var unknown: Int64 = 0

    init(_ stores: [any SecretStore], _ ring: Ring) throws {
        for store in stores {
            for (number, count) in try store.quarantineByGeneration() {
                accepted[number, default: 0] += count.accepted
                if ring.generation(number) == nil { unknown += count.open }
            }
        }
    }
}
