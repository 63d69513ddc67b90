import { receive } from '../../src/actor/behavior.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import type { Outcome } from '../../src/actor/signal.ts';
import { oneForOne } from '../../src/actor/strategy.ts';
import type { System } from '../../src/actor/system.ts';
import { NexaError } from '../../src/errors.ts';
import type { MonitorMessage, Sample } from '../monitor/protocol.ts';
import { CHECKS, consider, type HealthCheck, UNSEEN, type Watched, worst } from './check.ts';
import type { Health, HealthMessage } from './protocol.ts';

const INTERVAL_MS = 1_000;
const MONITOR_MS = 500;
/** Looks missed until nothing is known. */
const MISSED = 5;

interface Options {
  readonly system: System;
  readonly monitor: ActorRef<MonitorMessage>;
  /** Default: {@link CHECKS}. */
  readonly checks?: readonly HealthCheck[];
  /** Default 1,000. */
  readonly intervalMs?: number;
}

/**
 * How its node is: a loop of its own looks, this actor remembers what it found, raises an alert once and resolves it once. The loop
 * may crash, and goes on as another incarnation: what was raised is remembered here.
 */
export function health(options: Options): Props<HealthMessage> {
  const { system, checks = CHECKS, intervalMs = INTERVAL_MS } = options;
  return {
    strategy: oneForOne({
      maxRestarts: Number.POSITIVE_INFINITY,
      withinMs: 60_000,
      backoff: { minMs: 50, maxMs: 10_000, factor: 2, jitter: 0.2 },
    }),
    behavior: (context) => {
      const watched = new Map<string, Watched>(checks.map(({ name }) => [name, UNSEEN]));
      let looked: { readonly atMs: number; readonly wallMs: number } | undefined;
      context.spawn(looking({ ...options, checks, intervalMs, to: context.self }), 'checks');

      const take = (check: HealthCheck, value: number | undefined): void => {
        const [now, turn] = consider(watched.get(check.name) ?? UNSEEN, check, value, context.clock.wallMs());
        watched.set(check.name, now);
        if (turn === undefined) return;
        const alert = { name: check.name, ...turn, unit: check.unit, sinceMs: now.sinceMs ?? 0 };
        system.events.publish({ event: 'alert', ...alert });
        if (turn.level === 'critical') context.log.error(alert, 'an alert');
        else if (turn.level === 'warn') context.log.warn(alert, 'an alert');
        else context.log.info(alert, 'an alert is over');
      };
      const state = (): Health => {
        const late = looked === undefined || context.clock.monotonicMs() - looked.atMs > MISSED * intervalMs;
        return {
          level: late ? 'unknown' : worst([...watched.values()].map(({ level }) => level)),
          checkedAtMs: looked?.wallMs ?? null,
          checks: checks.map(({ name, unit, warn, critical }) => {
            const { level, value = null, sinceMs = null } = watched.get(name) ?? UNSEEN;
            return { name, level, value, unit, warn, critical, sinceMs };
          }),
        };
      };

      return receive((context, message) => {
        switch (message.type) {
          case 'health':
            return context.reply(message, state());
          case 'found':
            looked = { atMs: context.clock.monotonicMs(), wallMs: context.clock.wallMs() };
            for (const { name, value } of message.findings) {
              const check = checks.find((each) => each.name === name);
              if (check !== undefined) take(check, value);
            }
            return;
          default:
            return context.refuse(message, new NexaError('unknown-command', 'health knows no such message'));
        }
      });
    },
  };
}

/** The loop: asks the monitor, evaluates every check, tells what it found. While the monitor does not answer it finds nothing. */
function looking({
  monitor,
  checks,
  intervalMs,
  to,
}: Required<Pick<Options, 'monitor' | 'checks' | 'intervalMs'>> & { readonly to: ActorRef<HealthMessage> }): Props<{
  readonly type: 'look';
}> {
  type Own = { readonly type: 'look' } | { readonly type: 'measured'; readonly measured: Outcome<Sample> };
  const props: Props<Own> = {
    behavior: (context) => {
      context.every(intervalMs, { type: 'look' });
      return receive<Own>((context, message) => {
        if (message.type === 'look') {
          return context.pipe(
            (signal) => monitor.ask({ type: 'latest' }, { timeoutMs: MONITOR_MS, signal }),
            (measured) => ({ type: 'measured', measured }),
          );
        }
        if (!message.measured.ok) return;
        const { value: sample } = message.measured;
        to.tell({ type: 'found', findings: checks.map(({ name, value }) => ({ name, value: value(sample) })) });
      });
    },
  };
  return props as unknown as Props<{ readonly type: 'look' }>;
}
