public import Envelopes

/// What a client asks a broker. A payload, where there is one, follows beside it.
public enum BrokerRequest: Sendable, Equatable {
    /// Unprotect a secret; the answer's payload is the plaintext.
    case unprotect(name: String, context: String?, store: String?)
    /// Store the payload under a name.
    case protect(name: String, context: String?, store: String?, replacing: Bool)
    /// Delete a secret.
    case remove(name: String)
    /// Give a secret another name.
    case rename(old: String, new: String)
    /// Run a command of the broker's table and pass on what it prints.
    case command(arguments: [String], columns: Int)
    /// Ask for access for a time.
    case requestAccess(operation: String, secrets: String, seconds: Int64, reason: String)
    /// The requests that the caller may see; the answer's payload is JSON.
    case listAccess
    /// One request; the answer's payload is JSON.
    case showAccess(id: String)
    /// Approve a request; the payload is the signature.
    case approveAccess(id: String)
    /// Turn a request down.
    case denyAccess(id: String, reason: String)
    /// Take a grant back.
    case revokeAccess(id: String, reason: String)
    /// The policy in force; the answer's payload is its text.
    case showPolicy
    /// Install a policy; the payload is the text, and behind it the signature, whose length is told.
    case installPolicy(signatureLength: Int)

    /// The head of its frame.
    public var head: CBORValue {
        var pairs: [String: CBORValue] = ["op": .text(word)]
        func put(_ key: String, _ value: String?) { if let value { pairs[key] = .text(value) } }
        switch self {
        case .unprotect(let name, let context, let store):
            put("name", name)
            put("context", context)
            put("store", store)
        case .protect(let name, let context, let store, let replacing):
            put("name", name)
            put("context", context)
            put("store", store)
            pairs["replacing"] = .bool(replacing)
        case .remove(let name): put("name", name)
        case .rename(let old, let new):
            put("name", old)
            put("new", new)
        case .command(let arguments, let columns):
            pairs["arguments"] = .array(arguments.map { .text($0) })
            pairs["columns"] = .unsigned(UInt64(max(0, columns)))
        case .requestAccess(let operation, let secrets, let seconds, let reason):
            put("operation", operation)
            put("secrets", secrets)
            put("reason", reason)
            pairs["seconds"] = .unsigned(UInt64(max(0, seconds)))
        case .listAccess, .showPolicy: break
        case .showAccess(let id), .approveAccess(let id): put("id", id)
        case .denyAccess(let id, let reason), .revokeAccess(let id, let reason):
            put("id", id)
            put("reason", reason)
        case .installPolicy(let length): pairs["signature"] = .unsigned(UInt64(max(0, length)))
        }
        return .map(pairs)
    }

    private var word: String {
        switch self {
        case .unprotect: "unprotect"
        case .protect: "protect"
        case .remove: "remove"
        case .rename: "rename"
        case .command: "command"
        case .requestAccess: "access.request"
        case .listAccess: "access.list"
        case .showAccess: "access.show"
        case .approveAccess: "access.approve"
        case .denyAccess: "access.deny"
        case .revokeAccess: "access.revoke"
        case .showPolicy: "policy.show"
        case .installPolicy: "policy.install"
        }
    }

    /// The most bytes of payload that it may come with.
    public var payloadLimit: Int {
        switch self {
        case .protect: Frame.payloadLimit
        case .approveAccess: 256 << 10
        case .installPolicy: 512 << 10
        default: 0
        }
    }

    /// Reads a head; strictly, with the names it may have and no others.
    ///
    /// - Returns: nil for anything else.
    public init?(head bytes: [UInt8]) {
        guard let pairs = (try? CBORValue(decoding: bytes))?.pairs, let word = pairs["op"]?.string else { return nil }
        func text(_ key: String) -> String? { pairs[key]?.string }
        func number(_ key: String) -> Int64? { pairs[key]?.number.flatMap(Int64.init(exactly:)) }
        let request: BrokerRequest?
        switch word {
        case "unprotect":
            request = text("name").map { .unprotect(name: $0, context: text("context"), store: text("store")) }
        case "protect":
            guard let name = text("name"), let replacing = pairs["replacing"]?.truth else { return nil }
            request = .protect(name: name, context: text("context"), store: text("store"), replacing: replacing)
        case "remove": request = text("name").map { .remove(name: $0) }
        case "rename":
            guard let old = text("name"), let new = text("new") else { return nil }
            request = .rename(old: old, new: new)
        case "command":
            guard let items = pairs["arguments"]?.items, let columns = number("columns") else { return nil }
            let arguments = items.compactMap(\.string)
            guard arguments.count == items.count, columns <= 10_000 else { return nil }
            request = .command(arguments: arguments, columns: Int(columns))
        case "access.request":
            guard let operation = text("operation"), let secrets = text("secrets"), let seconds = number("seconds"),
                let reason = text("reason")
            else { return nil }
            request = .requestAccess(operation: operation, secrets: secrets, seconds: seconds, reason: reason)
        case "access.list": request = .listAccess
        case "access.show": request = text("id").map { .showAccess(id: $0) }
        case "access.approve": request = text("id").map { .approveAccess(id: $0) }
        case "access.deny", "access.revoke":
            guard let id = text("id"), let reason = text("reason") else { return nil }
            request =
                word == "access.deny" ? .denyAccess(id: id, reason: reason) : .revokeAccess(id: id, reason: reason)
        case "policy.show": request = .showPolicy
        case "policy.install": request = number("signature").map { .installPolicy(signatureLength: Int($0)) }
        default: request = nil
        }
        // What it would write has to be what was read: no name too many, none twice, no other form.
        guard let request, request.head.encoded() == bytes else { return nil }
        self = request
    }
}
