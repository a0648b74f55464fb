/// What a batch of contents is made of.
extension ContentBatch {
    /// One secret; the ranges are offsets into ``ContentBatch/base``.
    public struct Record: Sendable {
        /// Where its slot lies.
        public var place: SlotPlace
        /// Its birth generation.
        public var birth: UInt32
        /// The slot's 44 bytes.
        public var slot: Int
        /// The name.
        public var name: Range<Int>
        /// The context, if there is one.
        public var context: Range<Int>?
        /// The message's body.
        public var body: Range<Int>
    }

    /// A secret that could not be opened.
    public struct Failure: Sendable {
        /// The record's index, or nil for a slot without a content.
        public var index: Int?
        /// Where its slot lies.
        public var place: SlotPlace
        /// The generation it names.
        public var generation: UInt32
        /// Why.
        public var reason: FailureReason

        /// - Parameters:
        ///   - index: the record's index, or nil.
        ///   - place: where its slot lies.
        ///   - generation: the generation it names.
        ///   - reason: why.
        public init(index: Int?, place: SlotPlace, generation: UInt32, reason: FailureReason) {
            self.index = index
            self.place = place
            self.generation = generation
            self.reason = reason
        }
    }

    /// A new version of a record, to be written. Its body is as long as the old one, and lies in its place.
    public struct Renewal: Sendable {
        /// The record's index.
        public var index: Int
        /// The new slot's 44 bytes: an offset into ``ContentBatch/newSlots``.
        public var slot: Int
    }
}
