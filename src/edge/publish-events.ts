import type { EventStream } from '../actor/events.ts';
import type { Cancel } from '../actor/ref.ts';
import type { Subjects } from '../cluster/subject.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Transport } from '../ports/transport.ts';
import { encodeEvent, isPublic, publicFields } from './public-event.ts';

export interface PublishingOptions {
  readonly events: EventStream;
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly self: { readonly node: string; readonly incarnation: number };
  /** Of one kind: so many at once, and so many a second in the long run. Default 500 and 100. */
  readonly burst?: number;
  readonly perSecond?: number;
}

export interface PublishingCounters {
  published: number;
  /** Beyond the rate; they are told as `omitted`. */
  omitted: number;
  /** Not taken by the connection. */
  failed: number;
}

export interface Publishing {
  readonly counters: Readonly<PublishingCounters>;
  stop(): void;
}

/** What one kind may still publish, and how many it could not. */
interface Allowance {
  left: number;
  atMs: number;
  omitted: number;
}

const SAY_OMITTED_MS = 1_000;

/**
 * Tells what happens on this node to whoever listens outside. A flood costs no more than its allowance: what exceeds that is
 * neither built nor sent, and counted once a second.
 */
export function publishEvents(options: PublishingOptions): Publishing {
  const { transport, subjects, clock, log, self } = options;
  const burst = options.burst ?? 500;
  const perMs = (options.perSecond ?? 100) / 1_000;
  const counters: PublishingCounters = { published: 0, omitted: 0, failed: 0 };
  /** As many as there are kinds. */
  const allowances = new Map<string, Allowance>();
  let n = 0;
  let sayOmitted: Cancel | undefined;

  const publish = (kind: string, fields: () => object): void => {
    try {
      const event = { event: kind, ...self, n: n + 1, atMs: clock.wallMs(), ...fields() };
      transport.publish(subjects.events(self.node, kind), encodeEvent(event));
      n++;
      counters.published++;
    } catch (error) {
      counters.failed++;
      log.debug({ error, event: kind }, 'an event was not published');
    }
  };
  const mayPublish = (kind: string): boolean => {
    const nowMs = clock.monotonicMs();
    let allowance = allowances.get(kind);
    if (allowance === undefined) {
      allowance = { left: burst, atMs: nowMs, omitted: 0 };
      allowances.set(kind, allowance);
    }
    allowance.left = Math.min(burst, allowance.left + (nowMs - allowance.atMs) * perMs);
    allowance.atMs = nowMs;
    if (allowance.left >= 1) {
      allowance.left--;
      return true;
    }
    allowance.omitted++;
    counters.omitted++;
    sayOmitted ??= clock.after(SAY_OMITTED_MS, tellOmitted);
    return false;
  };
  const tellOmitted = (): void => {
    sayOmitted = undefined;
    for (const [kind, allowance] of allowances) {
      if (allowance.omitted === 0) continue;
      const { omitted } = allowance;
      publish('omitted', () => ({ of: kind, count: omitted }));
      allowance.omitted = 0;
    }
  };
  const unsubscribe = options.events.subscribe((event) => {
    if (isPublic(event) && mayPublish(event.event)) publish(event.event, () => publicFields(event));
  });
  return {
    counters,
    stop: () => {
      unsubscribe();
      sayOmitted?.();
    },
  };
}
