import { canonical, exactly } from './plain.ts';
import type { Replicated } from './replicated.ts';
import { checkDrift, compareStamps, nextStamp, parseStamp, type Stamp } from './stamp.ts';

/** A value and when it was set; null: never. */
export type LwwRegister<Value> = { readonly value: Value; readonly at: Stamp } | null;
export interface LwwRegisterType<Value> extends Replicated<LwwRegister<Value>, Stamp | null> {
  /**
   * The delta that sets it. `nowMs` is the wall clock (`context.clock.wallMs()`); `replica` names who sets, and nobody else.
   * @throws NexaError `payload-too-large` (above 64 KiB), `not-encodable`, `bad-id`.
   */
  set(register: LwwRegister<Value>, value: Value, by: { readonly replica: string; readonly nowMs: number }): LwwRegister<Value>;
  get(register: LwwRegister<Value>): Value | undefined;
}

const MOST_VALUE_BYTES = 65_536;
const MOST_AHEAD_MS = 60_000;

/**
 * One value, the last one set wins; of two that nobody could order the one of the greater clock. `mostAheadMs`: what arrives stamped
 * further ahead of the clock here is refused (default 60,000).
 */
export function lwwRegister<Value>({ mostAheadMs = MOST_AHEAD_MS }: { readonly mostAheadMs?: number } = {}): LwwRegisterType<Value> {
  return {
    empty: null,
    set(register, value, { replica, nowMs }) {
      canonical(value, MOST_VALUE_BYTES);
      return { value, at: nextStamp(register?.at, nowMs, replica) };
    },
    get: (register) => register?.value,
    merge: later,
    digest: (register) => register?.at ?? null,
    deltaSince: (register, digest) =>
      register !== null && (digest === null || compareStamps(register.at, digest) > 0) ? register : undefined,
    parse(data, nowMs) {
      if (data === null) return null;
      const { value, at } = exactly(data, 'register.', ['value', 'at']);
      const stamp = parseStamp(at, 'register.at');
      if (nowMs !== undefined) checkDrift(stamp, nowMs, mostAheadMs);
      canonical(value, MOST_VALUE_BYTES);
      return { value: value as Value, at: stamp };
    },
    parseDigest: (data) => (data === null ? null : parseStamp(data, 'digest')),
  };
}

function later<Value>(a: LwwRegister<Value>, b: LwwRegister<Value>): LwwRegister<Value> {
  if (a === null || b === null) return a ?? b;
  // One stamp on two values: somebody used another's name. The text decides, so that all still agree.
  const order = compareStamps(a.at, b.at) || (canonical(a.value) < canonical(b.value) ? -1 : 1);
  return order < 0 ? b : a;
}
