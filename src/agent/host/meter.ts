/** Upper bounds of the handler times that are told apart: 1/16 ms, doubled 20 times, up to about a minute. */
const BUCKETS = 21;
const FIRST_MS = 1 / 16;

/** What the agents of one type did on this node since it started: those that are gone or moved away included. */
export class TypeMeter {
  handled = 0;
  failures = 0;
  busyMs = 0;
  /** Handled messages by how long they took, each bucket twice as wide as the one before. */
  readonly took: number[] = new Array(BUCKETS).fill(0);
}

/** What one activation did and holds; costs two clock readings a message. */
export class Meter {
  handled = 0;
  busyMs = 0;
  /** Of a durable agent exactly, as it was last encoded; of a volatile one estimated, now and then. */
  stateBytes = 0;
  private changes = 0;
  private readonly type: TypeMeter;

  constructor(type: TypeMeter) {
    this.type = type;
  }

  handledIn(tookMs: number): void {
    const { type } = this;
    this.handled++;
    this.busyMs += tookMs;
    type.handled++;
    type.busyMs += tookMs;
    (type.took[bucketOf(tookMs)] as number)++;
  }
  /** Looking at a state costs more than changing it: every 64th change is weighed. */
  changed(weigh: () => number): void {
    if (this.changes++ % 64 === 0) this.stateBytes = weigh();
  }
}

const bucketOf = (tookMs: number): number => (tookMs <= FIRST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(tookMs / FIRST_MS))));

/** The time within which so large a share of the handlers between two readings was done; 0 if there was none. */
export function withinMs(share: number, took: readonly number[], before: readonly number[] = []): number {
  const counts = took.map((count, bucket) => count - (before[bucket] ?? 0));
  const wanted = counts.reduce((sum, count) => sum + count, 0) * share;
  if (wanted === 0) return 0;
  let bucket = 0;
  for (let seen = counts[0] as number; seen < wanted; seen += counts[bucket] as number) bucket++;
  return FIRST_MS * 2 ** bucket;
}
