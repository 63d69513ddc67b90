import type { Subsystem, SubsystemState } from '../actors/index.ts';
import type { Cancel } from '../src/actor/ref.ts';
import type { Cluster } from '../src/cluster/cluster.ts';
import { MISSING_STORE_FIX } from '../src/durable/missing-store.ts';
import type { Check, CheckResult, SelfTest } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Transport } from '../src/ports/transport.ts';
import { logResult, lookAgain, summary } from './self-test.ts';

const LOOK_MS = 500;

/** How far a node is with being ready, part by part. */
export interface Readiness {
  /** Everything is ok, the self-test is through, and it serves. Probes and load balancers ask for this. */
  readonly ready: boolean;
  /** Names of failed optional checks. */
  readonly degraded: readonly string[];
  readonly subsystems: Readonly<Record<Subsystem, SubsystemState>>;
  readonly selfTest: SelfTest;
}

/** Follows the parts of a node, repeats the checks that are worth it, and tells the other nodes. */
export function readiness(options: {
  readonly cluster: Cluster;
  /** Of leases and stores, and of messages. */
  readonly control: Transport;
  readonly data: Transport;
  /** Names of stores that were found missing. */
  readonly missingStores: () => readonly string[];
  readonly tested: SelfTest;
  readonly checks: readonly Check[];
  readonly clock: Clock;
  readonly log: Logger;
}): { now(): Readiness; add(result: CheckResult): void; stop(): void } {
  const { cluster, clock, log } = options;
  const results = new Map(options.tested.checks.map((result) => [result.check, result]));
  const up = { control: true, data: true };
  const cancels = (['control', 'data'] as const).map((way) =>
    options[way].onStatus((status) => {
      if (status !== 'slow-consumer') up[way] = status === 'up';
    }),
  );
  let stopped = false;

  const now = (): Readiness => {
    const missing = missingStores(options.missingStores());
    const selfTest: SelfTest = { ...summary([...results.values(), ...missing]), tookMs: options.tested.tookMs };
    const subsystems = {
      transport: up.data ? 'ok' : 'failed',
      store: !up.control ? 'failed' : missing.length > 0 ? 'degraded' : 'ok',
      lease: cluster.suspended ? 'failed' : 'ok',
      copies: cluster.copiesLive ? 'ok' : 'waiting',
      recovery: cluster.recovered ? 'ok' : 'waiting',
      // One that came to be required only after the start no longer ends the node.
      'self-test': !results.has('peers') ? 'waiting' : selfTest.verdict === 'ok' ? 'ok' : 'degraded',
    } as const satisfies Record<Subsystem, SubsystemState>;
    const fine = Object.values(subsystems).every((state) => state === 'ok' || state === 'degraded');
    const degraded = selfTest.checks.flatMap(({ check, verdict }) => (verdict === 'failed' ? [check] : []));
    return { ready: fine && cluster.serves, degraded, subsystems, selfTest };
  };
  const look = (): void => {
    if (stopped) return;
    cancelLook = clock.after(LOOK_MS, look);
    const { ready, degraded } = now();
    cluster.peers.say({ ready, degraded: degraded.length > 0 });
  };
  const waits = new Map<string, Cancel>();
  const repeat = (check: Check, everyMs: number): void => {
    const again = async (): Promise<void> => {
      const result = await lookAgain(check, clock);
      if (stopped) return;
      if (result.verdict !== results.get(check.name)?.verdict) logResult(log, result);
      results.set(check.name, result);
      repeat(check, everyMs);
    };
    waits.set(
      check.name,
      clock.after(everyMs, () => void again()),
    );
  };
  let cancelLook = clock.after(0, look);
  for (const check of options.checks) if (check.everyMs !== undefined) repeat(check, check.everyMs);

  return {
    now,
    add: (result) => void results.set(result.check, result),
    stop() {
      stopped = true;
      cancelLook();
      for (const cancel of [...cancels, ...waits.values()]) cancel();
    },
  };
}

/** As the self-test would have said it: who asks for the status sees why. */
const missingStores = (names: readonly string[]): readonly CheckResult[] =>
  names.length === 0
    ? []
    : [
        {
          ...{ check: 'stores', required: false, verdict: 'failed', tookMs: 0, fix: MISSING_STORE_FIX },
          message: `missing: ${names.join(', ')}`,
          where: { store: names.join(' ') },
        },
      ];
