import BrokerWire
import Envelopes
import Foundation
import Testing

extension BrokerTests {
    /// What no client writes: afterwards the broker serves others, and holds neither memory nor files for it.
    @Suite struct MalformedTests {
        private let home: BrokerHome

        init() throws {
            home = try BrokerHome(.servingRoot, isServed: false)
            try home.start(["--patience", "2"])
            let client = try RawClient(home.socket)
            #expect(
                try client.ask(.protect(name: "one", context: nil, store: nil, replacing: false), [1])?.response
                    == .done)
        }

        /// Open sockets: its database has a file for each thread that ever needed one.
        private func files() throws -> Int {
            let folder = try "/proc/\(home.broker.pid)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
                return target?.hasPrefix("socket:") == true
            }.count
        }

        private func mebibytes() throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(home.broker.pid)/status", encoding: .utf8)
            let match = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/))
            return try #require(Int(match.output.1)) >> 10
        }

        /// Runs `body`; then the broker still serves, and its files and memory are as before.
        private func expectUnharmed(
            _ growth: Int = 24, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
        ) throws {
            for _ in 0..<20 { _ = try RawClient(home.socket).read("one") }
            let before = try (files: files(), memory: mebibytes())
            try body()
            #expect(try RawClient(home.socket).read("one") == [1], sourceLocation: sourceLocation)
            let end = Date().addingTimeInterval(10)
            while try files() > before.files, Date() < end { usleep(20_000) }
            #expect(try files() <= before.files, sourceLocation: sourceLocation)
            let memory = try mebibytes()
            #expect(memory <= before.memory + growth, "\(before.memory) to \(memory)", sourceLocation: sourceLocation)
        }

        /// Sends bytes; the broker says what it thinks of them, and hangs up.
        private func expectRefused(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
            let client = try RawClient(home.socket)
            client.send(bytes)
            guard case .failed(let failure) = try client.answer()?.response else {
                Issue.record("\(bytes.prefix(40)) is taken", sourceLocation: sourceLocation)
                return
            }
            #expect(failure.kind == "broker.malformed" && failure.exit == 64, sourceLocation: sourceLocation)
            #expect(((try? client.receive(1)) ?? []).isEmpty, sourceLocation: sourceLocation)
        }

        @Test func impossibleLengths() throws {
            try expectUnharmed {
                for (head, payload) in [
                    (0, 0), (.max, .max), (.max, 0), (1, .max), (UInt32(Frame.headLimit) + 1, 0),
                    (20, UInt32(Frame.payloadLimit) + 1), (1 << 31, 1 << 31),
                ] as [(UInt32, UInt32)] {
                    let bytes = [head, payload].flatMap { value in withUnsafeBytes(of: value.bigEndian) { Array($0) } }
                    try expectRefused(bytes + [UInt8](repeating: 0xA1, count: 40))
                }
            }
            try home.expectLogged("refusal", "refused", reason: "impossible lengths")
        }

        @Test func headsThatAreNone() throws {
            let good = BrokerRequest.unprotect(name: "one", context: nil, store: nil).head
            guard case .map(var pairs) = good else { return }
            try expectUnharmed {
                for head in [
                    CBORValue.map(["op": .text("unprotect")]), .map(["op": .text("format")]),
                    .map(["name": .text("one")]),
                    .map([:]), .null, .text("unprotect"), .array([.text("unprotect"), .text("one")]),
                    .map(["op": .text("unprotect"), "name": .bytes([1])]),
                    .map(["op": .text("protect"), "name": .text("one"), "replacing": .unsigned(1)]),
                ] { try expectRefused(RawClient.frame(head: head.encoded())) }
                pairs["uid"] = .unsigned(0)
                try expectRefused(RawClient.frame(head: CBORValue.map(pairs).encoded()))
                let exact = good.encoded()
                try expectRefused(RawClient.frame(head: exact + [0]))
                try expectRefused(RawClient.frame(head: [0xB8, 2] + exact.dropFirst()))
                try expectRefused(RawClient.frame(head: [0xBF] + exact.dropFirst() + [0xFF]))
                // A payload where none belongs, and one that is too large for what it goes with.
                try expectRefused(RawClient.frame(head: exact, payloadLength: 1) + [1])
                try expectRefused(
                    RawClient.frame(head: BrokerRequest.approveAccess(id: "x").head.encoded(), payloadLength: 300 << 10)
                )
                for _ in 0..<200 {
                    let junk = (0..<Int.random(in: 1...200)).map { _ in UInt8.random(in: 0...255) }
                    try expectRefused(RawClient.frame(head: junk))
                }
            }
            try home.expectLogged("refusal", "refused", reason: "a request that is none")
            try home.expectLogged("refusal", "refused", reason: "a payload that it does not take")
        }

        @Test func randomBytesAndTruncations() throws {
            let good = RawClient.frame(
                .protect(name: "two", context: "c", store: nil, replacing: true), Array("payload".utf8))
            try expectUnharmed {
                for count in 0..<good.count { try RawClient(home.socket).send(Array(good[..<count])) }
                for _ in 0..<300 {
                    let client = try RawClient(home.socket)
                    client.send((0..<Int.random(in: 1...2000)).map { _ in UInt8.random(in: 0...255) })
                }
            }
            // Nothing of them was stored.
            #expect(try RawClient(home.socket).read("two") == nil)
            #expect(try RawClient(home.socket).ask(.remove(name: "two"))?.response != .done)
        }

        /// A payload that never comes, a head that comes byte by byte, and one client that asks slowly and in full.
        @Test func clientsThatTakeTheirTime() throws {
            try expectUnharmed {
                let head = RawClient.frame(.protect(name: "x", context: nil, store: nil, replacing: true), [1, 2, 3])
                let silent = try RawClient(home.socket)
                silent.send(Array(head.dropLast(3)))
                let slow = try RawClient(home.socket)
                let start = Date()
                var isCutOff = false
                for byte in head where !isCutOff {
                    isCutOff = !slow.send([byte])
                    usleep(1_000_000 / 4)
                    #expect(try RawClient(home.socket).read("one") == [1])
                }
                #expect(isCutOff && Date().timeIntervalSince(start) < 8)
                #expect(try silent.receive(1).isEmpty)
                // An idle one is not cut off: the time counts from a request's first byte.
                let idle = try RawClient(home.socket)
                sleep(4)
                #expect(try idle.read("one") == [1])
            }
        }

        /// Readers of a large secret that do not read, and some that go away half way through.
        @Test func largeAnswersThatNobodyTakes() throws {
            let large = [UInt8](repeating: 7, count: 16 << 20)
            #expect(
                try RawClient(home.socket).ask(
                    .protect(name: "large", context: nil, store: nil, replacing: false), large)?.response == .done)
            func ask() throws {
                for index in 0..<6 {
                    let client = try RawClient(home.socket)
                    try client.send(.unprotect(name: "large", context: nil, store: nil))
                    if index % 2 == 0 { _ = try client.receive(1 << 20) }
                }
                var held: [RawClient] = []
                for _ in 0..<24 {
                    let client = try RawClient(home.socket)
                    try client.send(.unprotect(name: "large", context: nil, store: nil))
                    held.append(client)
                }
                sleep(3)
                #expect(try RawClient(home.socket).read("one") == [1])
                // Those of 256 MiB wait; the others were hung up on.
                let whole = try held.filter { try $0.answer() != nil }.count
                #expect(whole > 0 && whole < 24, "\(whole)")
            }
            // Once, so that each thread has the memory that it keeps.
            try ask()
            try expectUnharmed(150, ask)
            #expect(try RawClient(home.socket).read("large") == large)
        }
    }

    /// How much a broker takes on from one user.
    @Suite struct LimitTests {
        @Test func aRateForEachUser() throws {
            let home = try BrokerHome(.servingRoot, isServed: false)
            try home.start(["--max-rate", "50"])
            let client = try RawClient(home.socket)
            _ = try client.ask(.protect(name: "one", context: nil, store: nil, replacing: true), [1])
            var busy = 0
            let start = Date()
            for _ in 0..<400 {
                let answer = try #require(try client.ask(.unprotect(name: "one", context: nil, store: nil)))
                if case .failed(let failure) = answer.response {
                    #expect(failure.kind == "broker.busy" && failure.exit == 75)
                    busy += 1
                }
            }
            let most = 60 + Int(Date().timeIntervalSince(start) * 55)
            #expect(busy >= 400 - most, "\(busy)")
            // Others are not held back, and the same one is served a moment later.
            try home(.operator, "status")
            sleep(1)
            #expect(try client.read("one") == [1])
        }

        /// Root is in no role here.
        @Test func strangersAreSlow() throws {
            let home = try BrokerHome()
            try home(.service, "put", "one", input: Data("x".utf8))
            let client = try RawClient(home.socket)
            let before = try home.entries().count
            let start = Date()
            for _ in 0..<300 { #expect(try client.read("one") == nil) }
            for _ in 0..<100 { try RawClient(home.socket).send([0, 0, 0, 0, 0, 0, 0, 0]) }
            let most = 60 + Int(Date().timeIntervalSince(start) * 25)
            #expect(try home.entries().count - before <= most)
            #expect(try home(.service, "get", "one").text == "x")
        }

        @Test func connectionsOfOneUser() throws {
            let home = try BrokerHome(.servingRoot, isServed: false)
            try home.start(["--max-connections", "20"])
            _ = try RawClient(home.socket).ask(.protect(name: "one", context: nil, store: nil, replacing: true), [1])
            usleep(200_000)
            var clients: [RawClient] = []
            for _ in 0..<30 { clients.append(try RawClient(home.socket)) }
            let served = clients.filter { ((try? $0.read("one")) ?? nil) == [1] }.count
            #expect(served == 15)
            // There is room for others, and for root again once one has gone.
            try home(.operator, "status")
            clients.removeAll()
            usleep(500_000)
            #expect(try RawClient(home.socket).read("one") == [1])
        }
    }
}
