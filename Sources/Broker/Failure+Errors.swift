import Access
import BrokerWire
import Home
import Protection
import SecretStores

/// Errors on their way to the client, which makes the same ones of them again.
extension BrokerFailure {
    /// - Parameters:
    ///   - error: what went wrong.
    ///   - exit: the command's exit code for it.
    init(_ error: any Error, exit: Int32) {
        switch error {
        case let error as StoreError:
            self.init(kind: "store.\(Self.word(error.code))", message: error.description, exit: exit)
        case let error as SecretCipher.Failure:
            self.init(
                kind: "secret.\(error.reason.rawValue)", message: error.description, exit: exit, name: error.name,
                number: error.generation)
        case let error as AccessError:
            self.init(
                kind: error.code == .refused ? "access.refused" : "", message: error.description, exit: exit)
        case let error as HomeError:
            self.init(
                kind: error.code == .unreachable
                    ? "home.unreachable" : error.code == .noSuchStore ? "home.noSuchStore" : "",
                message: error.description, exit: exit)
        default: self.init(kind: "", message: "\(error)", exit: exit)
        }
    }

    private static func word(_ code: StoreError.Code) -> String {
        switch code {
        case .exists: "exists"
        case .noSuchSecret: "noSuchSecret"
        case .notAccepted: "notAccepted"
        case .damaged: "damaged"
        default: ""
        }
    }
}
