public import Envelopes

/// What a broker answers. A payload, where there is one, follows beside it.
public enum BrokerResponse: Sendable, Equatable {
    /// Done; the payload is the answer.
    case done
    /// A part of what a command prints: the payload.
    case output(isError: Bool)
    /// A command has ended.
    case ended(status: Int32)
    /// Not done.
    case failed(BrokerFailure)

    /// The head of its frame.
    public var head: CBORValue {
        switch self {
        case .done: .map(["is": .text("done")])
        case .output(let isError): .map(["is": .text(isError ? "err" : "out")])
        case .ended(let status): .map(["is": .text("end"), "status": .unsigned(UInt64(UInt32(bitPattern: status)))])
        case .failed(let failure):
            .map([
                "is": .text("failed"), "kind": .text(failure.kind), "message": .text(failure.message),
                "exit": .unsigned(UInt64(UInt32(bitPattern: failure.exit))), "name": .text(failure.name),
                "number": .unsigned(UInt64(failure.number)),
            ])
        }
    }

    /// Reads a head.
    ///
    /// - Returns: nil for what no broker writes.
    public init?(head bytes: [UInt8]) {
        guard let pairs = (try? CBORValue(decoding: bytes))?.pairs, let word = pairs["is"]?.string else { return nil }
        func status(_ key: String) -> Int32? {
            pairs[key]?.number.flatMap(UInt32.init(exactly:)).map { Int32(bitPattern: $0) }
        }
        let response: BrokerResponse
        switch word {
        case "done": response = .done
        case "out", "err": response = .output(isError: word == "err")
        case "end":
            guard let status = status("status") else { return nil }
            response = .ended(status: status)
        case "failed":
            guard let kind = pairs["kind"]?.string, let message = pairs["message"]?.string, let exit = status("exit"),
                let name = pairs["name"]?.string, let number = pairs["number"]?.number.flatMap(UInt32.init(exactly:))
            else { return nil }
            response = .failed(BrokerFailure(kind: kind, message: message, exit: exit, name: name, number: number))
        default: return nil
        }
        // As with a request: what it would write has to be what was read.
        guard response.head.encoded() == bytes else { return nil }
        self = response
    }
}

/// A failure on its way to the client.
public struct BrokerFailure: Sendable, Equatable {
    /// Which error it was, such as `store.noSuchSecret`; empty where only the message counts.
    public var kind: String
    /// One lower-case line.
    public var message: String
    /// The exit code that the command gives it.
    public var exit: Int32
    /// The secret's name, where the error has one.
    public var name: String
    /// The generation's number, where the error has one.
    public var number: UInt32

    /// - Parameters:
    ///   - kind: which error.
    ///   - message: one line.
    ///   - exit: the command's exit code.
    ///   - name: the secret's.
    ///   - number: the generation's.
    public init(kind: String, message: String, exit: Int32, name: String = "", number: UInt32 = 0) {
        self.kind = kind
        self.message = message
        self.exit = exit
        self.name = name
        self.number = number
    }
}
