import type { Cancel } from '../actor/ref.ts';
import type { Clock } from '../ports/clock.ts';
import type { Activation, ActivationKind } from './hosting.ts';

/** Activations of types that passivate, of all these types together on one node, unless the node says otherwise. */
export const MOST_ACTIVE = 50_000;
/** A look comes after an eighth of the shortest idle time, within these bounds. */
const LOOK_MS = [100, 5_000] as const;
/** Past a limit this share of it is put away together: looking for the least recently used costs a sort. */
const SLACK = 0.05;
/** Put away together at least, while memory is scarce. */
const RELIEF = 64;

/** Which activations of this node are put away: those that were idle for long, those that asked for it, and the least recently used. */
export interface Passivation {
  began(key: string, type: string, activation: Activation): void;
  ended(key: string): void;
  /** Its handler said so: as soon as nothing waits. */
  wanted(key: string, type: string, activation: Activation): void;
  /** Memory is scarce: puts a part of the least recently used away that may be, and answers how many. */
  relieve(): number;
  stop(): void;
}

interface Watched {
  readonly type: string;
  readonly activation: Activation;
  /** As of the last look; and when a look first saw it so. */
  usedAt: number;
  quietSinceMs: number;
  idleMs: number;
}

/** What it sees are moments: `passivate` itself looks whether anything is under way, and says whether it did. */
export function passivation(options: {
  readonly kindOf: (type: string) => ActivationKind;
  readonly mostActive: number;
  readonly passivate: (key: string) => boolean;
  readonly clock: Clock;
}): Passivation {
  const { kindOf, passivate, clock } = options;
  const watched = new Map<string, Watched>();
  const active = new Map<string, number>();
  let due: { readonly atMs: number; readonly cancel: Cancel } | undefined;
  let stopped = false;

  const watch = (key: string, type: string, activation: Activation, idleMs: number): void => {
    if (!watched.has(key)) active.set(type, (active.get(type) ?? 0) + 1);
    watched.set(key, { type, activation, usedAt: activation.usedAt, quietSinceMs: clock.monotonicMs(), idleMs });
    lookIn(Math.max(LOOK_MS[0], Math.min(idleMs / 8, LOOK_MS[1])));
  };
  const lookIn = (delayMs: number): void => {
    const atMs = clock.monotonicMs() + delayMs;
    if (stopped || (due !== undefined && due.atMs <= atMs)) return;
    due?.cancel();
    due = { atMs, cancel: clock.after(delayMs, look) };
  };
  const look = (): void => {
    due = undefined;
    const nowMs = clock.monotonicMs();
    let shortestMs = Number.POSITIVE_INFINITY;
    for (const [key, agent] of watched) {
      const { usedAt } = agent.activation;
      if (usedAt !== agent.usedAt) {
        agent.usedAt = usedAt;
        agent.quietSinceMs = nowMs;
      }
      if (nowMs - agent.quietSinceMs < agent.idleMs || !passivate(key)) shortestMs = Math.min(shortestMs, agent.idleMs);
    }
    for (const type of active.keys()) shed(type, kindOf(type).mostActive);
    shed(undefined, options.mostActive);
    if (watched.size > 0) lookIn(Math.max(LOOK_MS[0], Math.min(shortestMs / 8, LOOK_MS[1])));
  };
  const shed = (type: string | undefined, most: number | undefined): void => {
    const count = type === undefined ? watched.size : (active.get(type) ?? 0);
    if (most === undefined || count <= most) return;
    putAway(type, count - most + Math.floor(most * SLACK));
  };
  const putAway = (type: string | undefined, wanted: number): number => {
    const oldestFirst = [...watched]
      .filter(([, agent]) => type === undefined || agent.type === type)
      .sort(([, a], [, b]) => a.activation.usedAt - b.activation.usedAt);
    let done = 0;
    for (const [key] of oldestFirst) if (done < wanted && passivate(key)) done++;
    return done;
  };

  return {
    began(key, type, activation) {
      const { passivates, idleMs, mostActive } = kindOf(type);
      if (!passivates || stopped) return;
      // Before it is watched itself: it has a message to handle.
      shed(type, mostActive === undefined ? undefined : mostActive - 1);
      shed(undefined, options.mostActive - 1);
      watch(key, type, activation, idleMs ?? Number.POSITIVE_INFINITY);
    },
    ended(key) {
      const agent = watched.get(key);
      if (agent === undefined) return;
      watched.delete(key);
      const left = (active.get(agent.type) ?? 1) - 1;
      if (left > 0) active.set(agent.type, left);
      else active.delete(agent.type);
    },
    wanted(key, type, activation) {
      if (stopped) return;
      watch(key, type, activation, 0);
      lookIn(0);
    },
    relieve: () => (stopped || watched.size === 0 ? 0 : putAway(undefined, Math.max(RELIEF, Math.ceil(watched.size * SLACK)))),
    stop() {
      stopped = true;
      due?.cancel();
      watched.clear();
    },
  };
}
