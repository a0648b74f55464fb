import Access
import BrokerWire
import Home
import Protection
import SecretStores

/// A key group behind a broker: this process has neither keys nor stores. Errors are the same as with a home.
final class BrokeredGroup: Sendable {
    private let client: BrokerClient

    init(_ path: String) { client = BrokerClient(path: path) }

    func put(
        _ name: String, _ plaintext: UnsafeRawBufferPointer, context: String?, replacing: Bool, in store: String?
    ) throws {
        try ask(.protect(name: name, context: context, store: store, replacing: replacing), payload: plaintext) { _ in }
    }

    func get<R>(
        _ name: String, context: String?, in store: String?, use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        try ask(.unprotect(name: name, context: context, store: store), use: use)
    }

    func remove(_ name: String) throws { try ask(.remove(name: name)) { _ in } }

    func rename(_ old: String, to new: String) throws { try ask(.rename(old: old, new: new)) { _ in } }

    private func ask<R>(
        _ request: BrokerRequest, payload: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        do { return try client.ask(request, payload: payload, use: use) } catch let error as BrokerClient.Failed {
            throw error.failure.thrown
        }
    }
}
