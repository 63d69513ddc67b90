import type { Cancel } from '../actor/ref.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Kv } from '../ports/stores.ts';
import type { ClusterTimes } from './config.ts';
import type { Copy } from './copy.ts';
import type { ServiceRecord } from './service.ts';

/** How often the silence of those who renew their entries is counted. */
const LISTEN_MS = 500;
/** Heartbeats missed until an entry counts as gone. */
const MISSED = 3;
/** Deletions planned or under way at once; the rest comes with the next round. */
const MOST_DUE = 256;

export interface SweepTimes extends Pick<ClusterTimes, 'rankMs' | 'storeMs'> {
  /** Undefined: there are no rounds, because nothing is ever missed. */
  readonly reconcileMs: number | undefined;
}

/** Deletes the entries of those who are gone. Readers leave them out at once; this only keeps the store small. */
export interface ServiceSweep {
  /** Whoever renews this entry was not heard of for three of its heartbeats, in time in which this node would have heard. */
  silent(at: string): boolean;
  /** A record changed, or whether its actor lives may have. */
  look(at: string): void;
  lookAtAll(): void;
  stop(): void;
}

export function serviceSweep(options: {
  readonly kv: Kv;
  readonly copy: () => Copy<ServiceRecord>;
  readonly ended: (record: ServiceRecord, at: string) => boolean;
  /** Asks the store once more before an entry is deleted. */
  readonly confirm: (record: ServiceRecord) => Promise<void>;
  /** How many others go first; undefined: somebody else does it. */
  readonly rank: (record: ServiceRecord, at: string) => number | undefined;
  /** This node holds its lease and its copy is live: what it does not hear was not said. */
  readonly attentive: () => boolean;
  /** Somebody fell silent, or is heard again. */
  readonly onSilence: (record: ServiceRecord) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: SweepTimes;
}): ServiceSweep {
  const { kv, copy, clock, random, times } = options;
  const due = new Map<string, () => void>();
  const heard = new Map<string, { revision: number; silentMs: number; silent: boolean }>();
  let stopped = false;

  const remove = async (at: string): Promise<void> => {
    const entry = copy().get(at);
    if (entry === undefined) return;
    await options.confirm(entry.value);
    if (!options.ended(entry.value, at)) return;
    // Whatever becomes of it, the next round looks again; a rewritten entry has another revision and stays.
    const gone = await kv.delete(at, entry.revision, { timeoutMs: times.storeMs }).catch(() => undefined);
    if (gone?.written === 'yes') copy().apply(at, undefined, gone.revision);
  };
  const look = (at: string): void => {
    const entry = copy().get(at);
    if (stopped || entry === undefined || due.has(at) || due.size >= MOST_DUE || !options.ended(entry.value, at)) return;
    const rank = options.rank(entry.value, at);
    if (rank === undefined) return;
    const cancel = clock.after(rank * times.rankMs * (1 + random.next() / 2), () => {
      void remove(at).finally(() => due.delete(at));
    });
    due.set(at, cancel);
  };
  const lookAtAll = (): void => {
    for (const { key } of copy().entries()) look(key);
  };

  let lastMs = clock.monotonicMs();
  /** An entry is watched from when this node first sees it, and from each new revision on. No clock of another machine is asked. */
  const listen = (): void => {
    cancelListen = heard.size === 0 ? undefined : clock.after(LISTEN_MS, listen);
    const nowMs = clock.monotonicMs();
    // A process that was paused has heard nothing meanwhile, and may have missed much.
    const passedMs = options.attentive() ? Math.min(nowMs - lastMs, 2 * LISTEN_MS) : 0;
    lastMs = nowMs;
    for (const [at, state] of heard) {
      const entry = copy().get(at);
      if (entry?.value.heartbeatMs === undefined) {
        heard.delete(at);
        continue;
      }
      const fresh = entry.revision !== state.revision;
      state.revision = entry.revision;
      state.silentMs = fresh ? 0 : state.silentMs + passedMs;
      const silent = state.silentMs > MISSED * entry.value.heartbeatMs;
      if (silent !== state.silent) {
        state.silent = silent;
        options.onSilence(entry.value);
        look(at);
      }
    }
  };
  let cancelListen: Cancel | undefined;
  const { reconcileMs } = times;
  const round = (afterMs: number): Cancel =>
    clock.after(afterMs, () => {
      cancelRound = round((reconcileMs ?? 0) * (0.75 + random.next() / 2));
      lookAtAll();
    });
  let cancelRound = reconcileMs === undefined ? undefined : round(reconcileMs * random.next());

  return {
    silent: (at) => heard.get(at)?.silent === true,
    look(at) {
      const entry = copy().get(at);
      if (entry?.value.heartbeatMs !== undefined && !heard.has(at)) {
        // Counted from the next look on: none of the time before it was there is held against it.
        heard.set(at, { revision: 0, silentMs: 0, silent: false });
        cancelListen ??= clock.after(LISTEN_MS, listen);
      }
      look(at);
    },
    lookAtAll,
    stop() {
      stopped = true;
      cancelListen?.();
      cancelRound?.();
      for (const cancel of due.values()) cancel();
      due.clear();
    },
  };
}
