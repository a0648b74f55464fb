import Audit
import Foundation
import Glibc
import Testing

/// What the journal and syslog get, at real sockets.
struct ForwardingTests {
    /// A Unix datagram socket that a test listens on.
    private final class Listener: @unchecked Sendable {
        // @unchecked: begun and ended by the test alone.
        let path = NSTemporaryDirectory() + "/audit-socket-" + String(UInt64.random(in: .min ... .max), radix: 16)
        private var descriptor: Int32

        init() { descriptor = Self.bound(path) }

        deinit { end() }

        func end() {
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
            unlink(path)
        }

        func begin() { descriptor = Self.bound(path) }

        /// Throws away what comes, until nothing comes for a while.
        func drain() {
            var bytes = [UInt8](repeating: 0, count: 1 << 17)
            while recv(descriptor, &bytes, bytes.count, 0) >= 0 {}
        }

        func receive() throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 1 << 17)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            try #require(count >= 0, "nothing came")
            return Array(bytes[..<count])
        }

        private static func bound(_ path: String) -> Int32 {
            let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            precondition(result == 0)
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            return made
        }
    }

    private static let hostile = AuditEvent(
        .refusal, .refused, by: AuditActor(uid: 7, user: "a\"b\\c]d", pid: 1, executable: "/x"),
        secret: "new\nline \"quoted\" \\ ] é", grant: "g-1", reason: "r\n")

    @Test func theJournalsNativeProtocol() throws {
        let listener = Listener()
        let folder = try LogFolder()
        let log = try folder.open(forwarder: AuditForwarding.parse("journal:" + listener.path))
        let position = try log.append(Self.hostile)
        var rest = try listener.receive()[...]
        var fields: [String: [UInt8]] = [:]
        while !rest.isEmpty {
            let end = try #require(rest.firstIndex { $0 == 10 || $0 == 61 })
            let name = String(decoding: rest[..<end], as: UTF8.self)
            if rest[end] == 61 {
                let line = try #require(rest[end...].firstIndex(of: 10))
                fields[name] = Array(rest[(end + 1)..<line])
                rest = rest[(line + 1)...]
            } else {
                let length = rest[(end + 1)..<(end + 9)].reversed().reduce(0) { $0 << 8 | Int($1) }
                fields[name] = Array(rest[(end + 9)..<(end + 9 + length)])
                #expect(rest[end + 9 + length] == 10)
                rest = rest[(end + 10 + length)...]
            }
        }
        let texts = fields.mapValues { String(decoding: $0, as: UTF8.self) }
        #expect(fields["MESSAGE"] == (try folder.lines()[0]))
        #expect(texts["PRIORITY"] == "4" && texts["SYSLOG_IDENTIFIER"] == "keyroll")
        #expect(texts["KEYROLL_KIND"] == "refusal" && texts["KEYROLL_OUTCOME"] == "refused")
        #expect(texts["KEYROLL_ENTRY"] == "1" && texts["KEYROLL_HASH"] == position.hash)
        #expect(texts["KEYROLL_SECRET"] == Self.hostile.secret && texts["KEYROLL_GRANT"] == "g-1")
        #expect(texts["KEYROLL_UID"] == "7" && texts["KEYROLL_USER"] == "a\"b\\c]d")
    }

    /// RFC 5424, section 6: header, structured data with escapes, message.
    private static func parse(_ message: [UInt8]) throws -> (header: [String], data: [String: String], text: [UInt8]) {
        let text = String(decoding: message, as: UTF8.self)
        let pattern =
            /<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)/
            .dotMatchesNewlines()
        let match = try #require(try pattern.wholeMatch(in: text), "\(text)")
        var data: [String: String] = [:]
        for parameter in String(match.8).matches(of: /\ ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"/) {
            data[String(parameter.1)] = String(parameter.2).replacing(/\\(["\\\]])/) { String($0.1) }
        }
        let header = [match.1, match.2, match.3, match.4, match.5, match.6, match.7].map(String.init)
        return (header, data, Array(String(match.9).utf8))
    }

    private func expectHostile(_ message: [UInt8], _ folder: LogFolder) throws {
        let (header, data, text) = try Self.parse(message)
        #expect(header[0] == "108" && header[3] == "keyroll" && header[5] == "refusal")
        #expect(header[6] == "keyroll@32473" && header[4] == "\(getpid())")
        #expect(data["secret"] == Self.hostile.secret && data["user"] == "a\"b\\c]d" && data["uid"] == "7")
        #expect(data["kind"] == "refusal" && data["outcome"] == "refused" && data["entry"] == "1")
        #expect(text == (try folder.lines()[0]))
    }

    @Test func syslogOverAUnixSocket() throws {
        let listener = Listener()
        let folder = try LogFolder()
        let log = try folder.open(forwarder: AuditForwarding.parse("syslog:unix:" + listener.path))
        try log.append(Self.hostile)
        try expectHostile(listener.receive(), folder)
    }

    @Test(arguments: [false, true])
    func syslogOverTheNetwork(_ isStream: Bool) throws {
        let server = socket(AF_INET, Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(server, $0, length)
                _ = getsockname(server, $0, &length)
            }
        }
        if isStream { listen(server, 4) }
        let folder = try LogFolder()
        let port = UInt16(bigEndian: address.sin_port)
        let log = try folder.open(
            forwarder: AuditForwarding.parse("syslog:\(isStream ? "tcp" : "udp"):127.0.0.1:\(port)"))
        try log.append(Self.hostile)
        try log.append(.sample(2))
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        if isStream {
            let connection = accept(server, nil, nil)
            defer { close(connection) }
            var received: [UInt8] = []
            var messages: [[UInt8]] = []
            while messages.count < 2 {
                let count = recv(connection, &bytes, bytes.count, 0)
                try #require(count > 0)
                received += bytes[..<count]
                while let space = received.firstIndex(of: 32),
                    let size = Int(String(decoding: received[..<space], as: UTF8.self)),
                    received.count >= space + 1 + size
                {
                    messages.append(Array(received[(space + 1)..<(space + 1 + size)]))
                    received.removeFirst(space + 1 + size)
                }
            }
            try expectHostile(messages[0], folder)
            #expect(try Self.parse(messages[1]).data["secret"] == "db/2")
        } else {
            let count = recv(server, &bytes, bytes.count, 0)
            try expectHostile(Array(bytes[..<count]), folder)
        }
    }

    @Test func aReceiverThatIsAwayCostsNothingAndIsToldOfLosses() throws {
        let listener = Listener()
        listener.end()
        let folder = try LogFolder()
        let log = try folder.open(every: 1_000_000, forwarder: AuditForwarding.parse("syslog:unix:" + listener.path))
        let start = ContinuousClock.now
        for number in 0..<12_000 { try log.append(.sample(number)) }
        #expect(start.duration(to: .now) < .seconds(5))
        listener.begin()
        // What waited gets through in order, and then the log says how much did not.
        let reader = Thread { listener.drain() }
        reader.start()
        var lost: Int?
        let end = ContinuousClock.now.advanced(by: .seconds(30))
        while lost == nil, ContinuousClock.now < end {
            usleep(100_000)
            try log.append(.sample(1))
            for line in try folder.lines().suffix(3) {
                let entry = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                guard entry?["kind"] as? String == "forwarding" else { continue }
                lost = (entry?["facts"] as? [String: Any])?["lost"] as? Int
            }
        }
        // 8,192 wait at most, and some were taken out meanwhile.
        #expect((lost ?? 0) > 0 && (lost ?? 0) <= 12_000 - 8192 + 300, "\(String(describing: lost))")
        #expect(try folder.verify().fault == nil)
    }

    @Test(arguments: [
        "", "journald", "syslog", "syslog:unix", "syslog:unix:dev/log", "syslog:udp:host", "syslog:udp:host:0",
        "syslog:tcp:host:99999", "syslog:tcp::514", "syslog:http:host:80", "journal:x",
    ])
    func nowhereToForwardTo(_ text: String) {
        #expect(throws: AuditError(.usage, "")) { try AuditForwarding.parse(text) }
    }

    @Test func addresses() throws {
        for text in ["journal", "syslog:unix:/dev/log", "syslog:udp:[::1]:514", "syslog:tcp:log.example:601"] {
            _ = try AuditForwarding.parse(text)
        }
    }
}
