import type { Cancel } from '../actor/ref.ts';
import { DueQueue } from '../durable/due-queue.ts';
import type { Clock } from '../ports/clock.ts';

/** While nothing may fire, it is asked again after this. */
const SHUT_MS = 500;
/** Of those under way, how many may be in their opening at once; the next ones wait. */
const OPENING = 64;

/** How one came to its end: as it should, or to be tried again after so long. */
export type Fired = { readonly againInMs: number } | undefined;

/** One timer for everything on a node that is due at some time of the wall clock. Within a group one thing is under way at a time. */
export interface DueTimes {
  /** It is due then, or (undefined) never. */
  set(key: string, atMs: number | undefined): void;
  /** Looks at the clock now. */
  look(): void;
  stop(): void;
}

export function dueTimes(options: {
  readonly clock: Clock;
  /** The wall clock may jump: it is looked at this often at least. */
  readonly lookMs: number;
  readonly open: () => boolean;
  readonly groupOf: (key: string) => string;
  /** Never rejects. `opened` makes room for the next: what remains is waiting for user code. */
  readonly fire: (key: string, opened: () => void) => Promise<Fired>;
  /** Nothing of the group is under way any more: its keys have to be set again. */
  readonly onFree: (group: string) => void;
}): DueTimes {
  const { clock, groupOf } = options;
  const queue = new DueQueue();
  const underWay = new Set<string>();
  const resting = new Map<string, { readonly atMs: number; readonly cancel: Cancel }>();
  let opening = 0;
  let timer: Cancel | undefined;
  let stopped = false;

  const look = (): void => {
    timer?.();
    timer = undefined;
    if (stopped) return;
    for (let due = queue.first; due !== undefined && opening < OPENING && options.open(); due = queue.first) {
      if (due.atMs > clock.wallMs()) break;
      queue.delete(due.key);
      if (!underWay.has(groupOf(due.key))) void run(due.key, due.atMs);
    }
    const next = queue.first;
    if (next === undefined || opening >= OPENING) return;
    timer = clock.after(options.open() ? Math.min(options.lookMs, Math.max(1, next.atMs - clock.wallMs())) : SHUT_MS, look);
  };
  const run = async (key: string, atMs: number): Promise<void> => {
    const group = groupOf(key);
    underWay.add(group);
    opening++;
    let inOpening = true;
    const opened = (): void => {
      if (!inOpening) return;
      inOpening = false;
      opening--;
      look();
    };
    const fired = await options.fire(key, opened);
    underWay.delete(group);
    if (fired !== undefined && !stopped) {
      const cancel = clock.after(fired.againInMs, () => {
        resting.delete(key);
        options.onFree(group);
      });
      resting.set(key, { atMs, cancel });
    }
    opened();
    options.onFree(group);
  };

  return {
    set(key, atMs) {
      const rests = resting.get(key);
      if (rests !== undefined && rests.atMs !== atMs) {
        rests.cancel();
        resting.delete(key);
      }
      if (atMs === undefined || resting.has(key)) queue.delete(key);
      else queue.set(key, atMs);
      if (queue.first?.key === key || timer === undefined) look();
    },
    look,
    stop() {
      stopped = true;
      timer?.();
      for (const { cancel } of resting.values()) cancel();
      resting.clear();
    },
  };
}
