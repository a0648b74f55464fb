import Access
public import BrokerWire
import Home
import Protection
import SecretStores

extension BrokerFailure {
    /// The error that a home would have thrown, made of what the broker tells.
    public var thrown: any Error {
        switch kind {
        case "store.exists": return StoreError(.exists, message)
        case "store.noSuchSecret": return StoreError(.noSuchSecret, message)
        case "store.notAccepted": return StoreError(.notAccepted, message)
        case "store.damaged": return StoreError(.damaged, message)
        case "home.unreachable": return HomeError(.unreachable, message)
        case "home.noSuchStore": return HomeError(.noSuchStore, message)
        case "access.refused": return AccessError(.refused, message)
        case "broker.busy": return BrokerError(.busy, message)
        case "broker.malformed": return BrokerError(.malformed, message)
        default:
            if kind.hasPrefix("secret."), let reason = FailureReason(rawValue: String(kind.dropFirst(7))) {
                return SecretCipher.Failure(reason: reason, name: name, generation: number)
            }
            return BrokerError(.failed(exit: exit), message)
        }
    }
}
