import Glibc

/// The bare limit of everything: memory copied, from and to more than the caches hold.
enum CopyStage {
    private static let block = 1 << 20
    private static let blocks = 256

    static func run(_ recorder: Recorder, times: Int) {
        let (source, target) = (memory(), memory())
        defer {
            source.deallocate()
            target.deallocate()
        }
        for round in 0..<max(1, times / Self.blocks * 2 + 2) {
            for index in 0..<Self.blocks {
                var batch = Recorder.Batch()
                recorder.measure(&batch) {
                    _ = memmove(target + index * Self.block, source + index * Self.block, Self.block)
                }
                // The first round only brings the pages in.
                if round > 0 { recorder.add(batch, Self.block, to: "memory copy", unit: "bytes") }
            }
        }
    }

    private static func memory() -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: blocks * block, alignment: 4096)
        memset(memory, 1, blocks * block)
        return memory
    }
}
