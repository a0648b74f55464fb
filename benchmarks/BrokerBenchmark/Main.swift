import BrokerWire
import Foundation
import Glibc
import Keyroll
import Synchronization

/// Measures a broker from outside, as its clients see it; benchmarks/broker.sh makes the home and starts the broker.
///
///     BrokerBenchmark SOCKET throughput CLIENTS SECONDS SECRETS
///     BrokerBenchmark SOCKET latency SECONDS SECRETS
///     BrokerBenchmark SOCKET idle CONNECTIONS SECONDS SECRETS
///     BrokerBenchmark HOME direct SECONDS SECRETS
///
/// Prints one JSON object.
@main
enum Main {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count > 3 else {
            FileHandle.standardError.write(Data("BrokerBenchmark: see its source for how it is called\n".utf8))
            exit(64)
        }
        let place = words[1]
        let numbers = words[3...].compactMap { Int($0) }
        switch words[2] {
        case "throughput":
            show(measure(clients: numbers[0], seconds: numbers[1], secrets: numbers[2]) { KeyGroup(broker: place) })
        case "latency":
            show(measure(clients: 1, seconds: numbers[0], secrets: numbers[1]) { KeyGroup(broker: place) })
        case "direct":
            let group = try KeyGroup.open(home: place)
            show(measure(clients: 1, seconds: numbers[0], secrets: numbers[1]) { group })
        case "idle":
            raiseLimit()
            // One that sends a byte a second, and very many that send nothing.
            let slow = connect(place)
            let crowd = (0..<numbers[0]).map { _ in connect(place) }
            let isOver = Atomic<Bool>(false)
            let trickle = Thread {
                while !isOver.load(ordering: .relaxed) {
                    var byte: UInt8 = 0
                    _ = send(slow, &byte, 1, Int32(MSG_NOSIGNAL))
                    sleep(1)
                }
            }
            trickle.start()
            show(measure(clients: 1, seconds: numbers[1], secrets: numbers[2]) { KeyGroup(broker: place) })
            isOver.store(true, ordering: .relaxed)
            for descriptor in crowd + [slow] { close(descriptor) }
        default: exit(64)
        }
    }

    private struct Result {
        var rate: Double
        var median: Double
        var p99: Double
        var failures: Int
    }

    /// Gets secrets one after the other, each client by itself.
    private static func measure(
        clients: Int, seconds: Int, secrets: Int, _ open: @escaping @Sendable () -> KeyGroup
    ) -> Result {
        let all = Mutex<[UInt32]>([])
        let failures = Atomic<Int>(0)
        let done = DispatchGroup()
        let start = now()
        for client in 0..<clients {
            done.enter()
            let thread = Thread {
                let group = open()
                var times: [UInt32] = []
                times.reserveCapacity(1 << 20)
                var state = UInt64(client) &* 7919 &+ 1
                let end = now() + Double(seconds)
                var last = now()
                while last < end {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let name = "bench/\(Int(state >> 33) % secrets)"
                    do { try group.get(name) { _ in } } catch { failures.add(1, ordering: .relaxed) }
                    let next = now()
                    times.append(UInt32((next - last) * 1e9))
                    last = next
                }
                all.withLock { $0 += times }
                done.leave()
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
        done.wait()
        let elapsed = now() - start
        let times = all.withLock { $0.sorted() }
        return Result(
            rate: Double(times.count) / elapsed, median: Double(times[times.count / 2]) / 1e3,
            p99: Double(times[times.count * 99 / 100]) / 1e3, failures: failures.load(ordering: .relaxed))
    }

    private static func show(_ result: Result) {
        print(
            "{\"unprotectsPerSecond\": \(Int(result.rate)), \"medianMicroseconds\": \(Int(result.median)), \"p99Microseconds\": \(Int(result.p99)), \"failures\": \(result.failures)}"
        )
    }

    private static func connect(_ path: String) -> Int32 {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard made >= 0, SocketAddress.with(path, { Glibc.connect(made, $0, $1) }) == 0 else {
            FileHandle.standardError.write(
                Data("BrokerBenchmark: cannot connect: \(String(cString: strerror(errno)))\n".utf8))
            exit(69)
        }
        return made
    }

    private static func raiseLimit() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(kind, &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(kind, &limit)
    }

    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
