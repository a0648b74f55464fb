import Cryptography
import Files
import Foundation
import Home
import KeyManagement
import Rotation
import SecretStores

/// A real home with many secrets, and a rotation of it.
struct BenchmarkHome {
    /// The message's body for a plaintext of 32 bytes and type application/octet-stream.
    private static let bodyLength = 75
    private static let nameLength = 18
    private static let batch = 16384

    let layout: HomeLayout
    let secrets: Int

    /// Makes and fills it. Slots are real: random keys wrapped under the home's generation. Contents are random bytes
    /// of the right length, since a rewrap neither reads nor writes them.
    ///
    /// - Parameter kind: what the store is, and where; nil for the embedded one.
    init(at path: String, secrets: Int, kind: HomeConfiguration.Store.Kind? = nil) throws {
        layout = HomeLayout(path)
        self.secrets = secrets
        var configuration = HomeConfiguration(group: "benchmark", policy: .standard, rootKey: .keyFile("root.key"))
        if let kind { configuration.stores = [HomeConfiguration.Store(name: "measured", kind: kind)] }
        try Home.create(layout, configuration: configuration, ask: Self.ask)
        let home = try open()
        let (active, key) = try home.keeper.keyring.active()
        let filler = try Filler(GenerationMark(of: active), key)
        for first in stride(from: 0, to: secrets, by: Self.batch) {
            try filler.write(first..<min(first + Self.batch, secrets), to: home.store)
        }
        // So that a copy of the file is complete.
        try (home.store as? SQLiteSecretStore)?.emptyLog()
    }

    var storePath: String { layout.resolve("secrets.sqlite") }

    func open() throws -> Home { try Home.open(layout, ask: Self.ask) }

    /// What `keyroll rotate --force` does to an open home: publish, activate, raise the fence, rewrap with all its
    /// commits, the closing count and the barrier.
    ///
    /// - Returns: how long each stage was busy, and the seconds of the rewrap alone, without what the new generation cost.
    func rotate(_ home: Home, workers: Int) throws -> (stages: StageTimes, rewrap: Double) {
        let number = try home.publish(reason: "benchmark", activates: true)
        try home.store.raiseFence(to: GenerationMark(of: home.keeper.keyring.active().generation))
        let run = RewrapRun(
            home.store, keeper: home.keeper, options: RunOptions(workers: workers), control: RunControl())
        let start = Stopwatch.now()
        let outcome = try run.run(job: "benchmark-\(number)")
        let seconds = Stopwatch.now() - start
        guard outcome.tally.moved == secrets, outcome.tally.addsUp else {
            throw Wrong(what: "\(outcome.tally.moved) of \(secrets) secrets were moved")
        }
        return (outcome.stages, seconds)
    }

    /// Counts slot by slot, outside the measurement, that all secrets stand at the newest generation.
    func check(_ home: Home) throws {
        let number = try home.keeper.keyring.active().generation.number
        let found = try home.store.recount()
        guard found[number] == Int64(secrets), found.total == Int64(secrets) else {
            throw Wrong(what: "the store holds \(found) after a rotation to generation \(number)")
        }
    }

    private static let ask: Home.Ask = { throw Wrong(what: "a passphrase was asked for") }

    /// The benchmark's own check failed.
    struct Wrong: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }

    /// Flat memory for one transaction's secrets.
    private final class Filler {
        private let mark: GenerationMark
        private let cipher: BlockCipher
        private let lanes: KeyWrapLanes
        private let room: UnsafeMutableRawBufferPointer
        private var pending: ContiguousArray<PendingSecret> = []
        private let stride = Slot.length + BenchmarkHome.bodyLength + BenchmarkHome.nameLength

        init(_ mark: GenerationMark, _ key: Keyring.Key) throws {
            self.mark = mark
            cipher = try BlockCipher(key: key.bytes, .encrypt)
            lanes = try KeyWrapLanes()
            room = .allocate(byteCount: BenchmarkHome.batch * stride, alignment: 64)
        }

        deinit { room.deallocate() }

        func write(_ numbers: Range<Int>, to store: any SecretStore) throws {
            try Random.fillWithPublicBytes(room)
            pending.removeAll(keepingCapacity: true)
            var waiting = 0
            for number in numbers {
                let slot = room.baseAddress! + (number - numbers.lowerBound) * stride
                // The random bytes that lie there are the data key, until the wrapped one takes their place.
                lanes.load(key: slot + Slot.wrappedKeyOffset, lane: waiting)
                waiting += 1
                let body = UnsafeRawBufferPointer(start: slot + Slot.length, count: BenchmarkHome.bodyLength)
                let name = UnsafeMutableRawBufferPointer(
                    start: slot + Slot.length + BenchmarkHome.bodyLength, count: BenchmarkHome.nameLength)
                let digits = "\(number)"
                name.copyBytes(
                    from: ("secret-" + String(repeating: "0", count: max(0, 11 - digits.count)) + digits).utf8)
                pending.append(
                    PendingSecret(
                        name: UnsafeRawBufferPointer(name), context: nil, body: body, slot: slot, birth: mark.number))
                guard waiting == KeyWrapLanes.width || number == numbers.upperBound - 1 else { continue }
                try lanes.wrap(waiting, under: cipher)
                for lane in 0..<waiting {
                    let target = slot - (waiting - 1 - lane) * stride
                    Slot.setGeneration(mark.number, target)
                    lanes.store(wrapped: target + Slot.wrappedKeyOffset, lane: lane)
                }
                waiting = 0
            }
            let tally = try pending.withUnsafeBufferPointer { secrets in
                try store.write(secrets, under: mark) { _, _ in .keep }
            }
            guard tally.added == numbers.count else { throw Wrong(what: "the home could not be filled") }
        }
    }
}

extension GenerationMark {
    fileprivate init(of generation: Generation) {
        self.init(number: generation.number, identity: generation.identity, checkValue: generation.checkValue)
    }
}
