import BrokerWire
import Envelopes
import Testing

@Suite struct WireTests {
    private static let texts = ["", "a", "mail/alice", "é😀\u{0}", String(repeating: "x", count: 300)]

    private static func requests() -> [BrokerRequest] {
        func text() -> String { texts.randomElement()! }
        func maybe() -> String? { Bool.random() ? text() : nil }
        return [
            .unprotect(name: text(), context: maybe(), store: maybe()),
            .protect(name: text(), context: maybe(), store: maybe(), replacing: .random()),
            .remove(name: text()), .rename(old: text(), new: text()),
            .command(arguments: (0..<Int.random(in: 0...5)).map { _ in text() }, columns: .random(in: 0...10_000)),
            .requestAccess(operation: text(), secrets: text(), seconds: .random(in: 0 ... .max), reason: text()),
            .listAccess, .showAccess(id: text()), .approveAccess(id: text()), .denyAccess(id: text(), reason: text()),
            .revokeAccess(id: text(), reason: text()), .showPolicy,
            .installPolicy(signatureLength: .random(in: 0...9999)),
        ]
    }

    private static let responses: [BrokerResponse] = [
        .done, .output(isError: true), .output(isError: false), .ended(status: 0), .ended(status: 77),
        .ended(status: -1),
        .failed(BrokerFailure(kind: "store.exists", message: "é", exit: 73, name: "n", number: .max)),
        .failed(BrokerFailure(kind: "", message: "", exit: 0)),
    ]

    @Test func whatIsWrittenIsRead() {
        for _ in 0..<200 {
            for request in Self.requests() {
                let head = request.head.encoded()
                #expect(BrokerRequest(head: head) == request)
                #expect(head.count <= Frame.headLimit)
            }
        }
        for response in Self.responses { #expect(BrokerResponse(head: response.head.encoded()) == response) }
    }

    /// A field too many, one too few, one of another kind.
    @Test func onlyExactFieldsAreRead() {
        for request in Self.requests() {
            guard case .map(let pairs) = request.head else { continue }
            for key in pairs.keys {
                var fewer = pairs
                fewer[key] = nil
                let read = BrokerRequest(head: CBORValue.map(fewer).encoded())
                // Context and store may be left out.
                #expect(read == nil || ["context", "store"].contains(key), "\(request) without \(key)")
                for other in [CBORValue.null, .bytes([1]), .array([]), .unsigned(.max), .map([:])] {
                    var changed = pairs
                    changed[key] = other
                    let head = CBORValue.map(changed).encoded()
                    if let read = BrokerRequest(head: head) { #expect(read.head.encoded() == head) }
                }
            }
            for (key, value) in [("x", CBORValue.null), ("payload", .unsigned(1)), ("uid", .unsigned(0))] {
                var more = pairs
                more[key] = value
                #expect(BrokerRequest(head: CBORValue.map(more).encoded()) == nil, "\(request) with \(key)")
            }
        }
        for response in Self.responses {
            guard case .map(var pairs) = response.head else { continue }
            pairs["x"] = .null
            #expect(BrokerResponse(head: CBORValue.map(pairs).encoded()) == nil)
        }
    }

    /// Random and mutated bytes never crash, and what is read is exactly what would be written.
    @Test func anyBytes() {
        var random = SystemRandomNumberGenerator()
        func check(_ bytes: [UInt8]) {
            if let request = BrokerRequest(head: bytes) { #expect(request.head.encoded() == bytes) }
            if let response = BrokerResponse(head: bytes) { #expect(response.head.encoded() == bytes) }
        }
        for _ in 0..<20_000 {
            check((0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        for _ in 0..<300 {
            let heads = Self.requests().map { $0.head.encoded() } + Self.responses.map { $0.head.encoded() }
            for head in heads {
                var bytes = head
                for _ in 0..<Int.random(in: 1...3) where !bytes.isEmpty {
                    let index = Int.random(in: bytes.indices)
                    switch Int.random(in: 0...3) {
                    case 0: bytes[index] = .random(in: 0...255)
                    case 1: bytes.remove(at: index)
                    case 2: bytes.insert(.random(in: 0...255), at: index)
                    default: bytes.removeSubrange(index...)
                    }
                }
                check(bytes)
            }
        }
    }

    @Test func aHeadHasOneForm() {
        // {"op": "access.list"} with the longer length, and with a text of undetermined length.
        let exact = BrokerRequest.listAccess.head.encoded()
        #expect(exact == [0xA1, 0x62, 0x6F, 0x70, 0x6B] + Array("access.list".utf8))
        for other in [
            [0xB8, 0x01] + exact.dropFirst(), [0xBF] + exact.dropFirst() + [0xFF], exact + [0],
            [0xA1, 0x78, 0x02] + exact.dropFirst(2), [0xA2] + exact.dropFirst() + exact.dropFirst(),
        ] as [[UInt8]] { #expect(BrokerRequest(head: other) == nil) }
    }

    @Test func lengths() {
        func lengths(_ head: UInt32, _ payload: UInt32) -> Frame.Lengths? {
            [head.bigEndian, payload.bigEndian].withUnsafeBytes { Frame.Lengths($0) }
        }
        #expect(lengths(0, 0) == nil && lengths(.max, 0) == nil && lengths(1, .max) == nil)
        #expect(lengths(UInt32(Frame.headLimit), UInt32(Frame.payloadLimit)) != nil)
        #expect(lengths(UInt32(Frame.headLimit) + 1, 0) == nil && lengths(1, UInt32(Frame.payloadLimit) + 1) == nil)
        let start = Frame.start(BrokerRequest.showPolicy.head, payload: 0x01020304)
        #expect(start[4..<8] == [1, 2, 3, 4])
        #expect(start.withUnsafeBytes { Frame.Lengths($0) }?.head == start.count - 8)
    }
}
