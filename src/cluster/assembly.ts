import type { Window } from './channels.ts';
import type { Cut, Entry, Pulse } from './frame.ts';

/** What all peers together may have half arrived here: no peer can fill the node by beginning what it never ends. */
export interface AssemblyBudget {
  bytes: number;
  readonly mostBytes: number;
}
export interface AssemblyBounds {
  /** Large messages half arrived, and their bytes in full. */
  readonly half: Window;
  /** Of one message. */
  readonly messageBytes: number;
  /** Without a further part. */
  readonly patienceMs: number;
}
export type Part = { readonly part: 'whole'; readonly entry: Entry } | { readonly part: 'kept' } | Lost;
export interface Lost {
  readonly part: 'lost';
  /** The body is empty. */
  readonly entry: Entry;
  readonly why: 'a part is missing' | 'too large' | 'too many are half arrived';
}

interface Half {
  readonly entry: Entry;
  readonly cut: Cut;
  readonly parts: Uint8Array[];
  bytes: number;
  atMs: number;
}
const NOTHING = new Uint8Array(0);
const KEPT: Part = { part: 'kept' };

/**
 * Puts the large messages of one peer together. Parts come in order or not at all: the first that is missing loses the message,
 * and that is said once.
 */
export class Assembly {
  private readonly halves = new Map<number, Half>();
  private readonly bounds: AssemblyBounds;
  private readonly budget: AssemblyBudget;
  private bytes = 0;
  /** Numbers up to this one, that are not half arrived, are over. */
  private begun = 0;

  constructor(bounds: AssemblyBounds, budget: AssemblyBudget) {
    this.bounds = bounds;
    this.budget = budget;
  }

  get size(): number {
    return this.halves.size;
  }

  /** What came of it; undefined: nothing that was not said before. */
  take(entry: Entry, cut: Cut, nowMs: number): Part | undefined {
    const half = this.halves.get(cut.number) ?? this.begin(entry, cut, nowMs);
    if (half === undefined) return undefined;
    if ('part' in half) return half;
    const { count, totalBytes } = half.cut;
    half.bytes += entry.body.length;
    const fits = cut.index === half.parts.length && cut.count === count && cut.totalBytes === totalBytes && half.bytes <= totalBytes;
    const last = cut.index + 1 === count;
    if (!fits || entry.body.length === 0 || (last && half.bytes !== totalBytes)) return this.lose(half, 'a part is missing');
    half.parts.push(entry.body);
    half.atMs = nowMs;
    if (!last) return KEPT;
    this.forget(half);
    return { part: 'whole', entry: { envelope: half.entry.envelope, body: joined(half.parts, totalBytes) } };
  }

  /** The sender says which are under way, on the same ordered way: what is not, or is further than here, is lost. */
  reach(underWay: Pulse['cut']): readonly Lost[] {
    const sent = new Map(underWay.map((each) => [each.number, each.sent]));
    return this.loseWhere((half) => sent.get(half.cut.number) !== half.parts.length);
  }
  expire(nowMs: number): readonly Lost[] {
    return this.loseWhere((half) => nowMs - half.atMs > this.bounds.patienceMs);
  }
  clear(): void {
    for (const half of [...this.halves.values()]) this.forget(half);
  }

  private begin(entry: Entry, cut: Cut, nowMs: number): Half | Lost | undefined {
    if (cut.number <= this.begun) return undefined;
    this.begun = cut.number;
    const lost = (why: Lost['why']): Lost => ({ part: 'lost', why, entry: { envelope: entry.envelope, body: NOTHING } });
    if (cut.index > 0) return lost('a part is missing');
    if (cut.totalBytes > this.bounds.messageBytes) return lost('too large');
    const { half: most } = this.bounds;
    const full = this.halves.size >= most.messages || this.bytes + cut.totalBytes > most.bytes;
    if (full || this.budget.bytes + cut.totalBytes > this.budget.mostBytes) return lost('too many are half arrived');
    const half = { entry: { envelope: entry.envelope, body: NOTHING }, cut, parts: [], bytes: 0, atMs: nowMs };
    this.halves.set(cut.number, half);
    this.bytes += cut.totalBytes;
    this.budget.bytes += cut.totalBytes;
    return half;
  }
  private loseWhere(is: (half: Half) => boolean): readonly Lost[] {
    return [...this.halves.values()].filter(is).map((half) => this.lose(half, 'a part is missing'));
  }
  private lose(half: Half, why: Lost['why']): Lost {
    this.forget(half);
    return { part: 'lost', entry: half.entry, why };
  }
  private forget(half: Half): void {
    this.halves.delete(half.cut.number);
    this.bytes -= half.cut.totalBytes;
    this.budget.bytes -= half.cut.totalBytes;
  }
}

function joined(parts: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const whole = new Uint8Array(totalBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
