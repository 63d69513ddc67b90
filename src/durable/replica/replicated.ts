/**
 * A kind of value that many replicas change at once without asking each other, and that ends up equal everywhere. Values are
 * immutable plain data, so they are stored, sent and compared as they are. What a change makes is a delta: a small value of the same
 * kind, which is merged into every replica, its own first. Merging is commutative, associative and idempotent, so deltas may be
 * lost (a digest finds what is missing), doubled and reordered.
 */
export interface Replicated<Value, Digest = unknown> {
  /** Before anybody changed anything. */
  readonly empty: Value;
  /** @throws NexaError `quota-exceeded` beyond the bounds of its kind: nothing is merged then. */
  merge(a: Value, b: Value): Value;
  /** What a peer needs to know to send what is missing here. */
  digest(value: Value): Digest;
  /** What whoever gave that digest lacks, and nothing else; undefined: nothing. */
  deltaSince(value: Value, digest: Digest): Value | undefined;
  /**
   * A value or delta from data that anybody may have sent. `nowMs`: the wall clock; with it a stamp far ahead of it is refused.
   * @throws NexaError `invalid-message`, with `where.field`.
   */
  parse(data: unknown, nowMs?: number): Value;
  /** @throws NexaError `invalid-message`, with `where.field`. */
  parseDigest(data: unknown): Digest;
}
