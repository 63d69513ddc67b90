import { clockCheck } from '../src/clock-check.ts';
import { casSelfTest, RACES } from '../src/nats/cas-self-test.ts';
import type { NatsLink } from '../src/nats/connection.ts';
import { readServerInfo } from '../src/nats/server-info.ts';
import { readServerTime } from '../src/nats/server-time.ts';
import { compareAndSetFinding, durabilityFinding, jetStreamFinding, replicasFinding, versionFinding } from '../src/nats-server/check.ts';
import { greetings } from '../src/nats-server/greeting.ts';
import type { Check } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Random } from '../src/ports/random.ts';
import type { CheckedStore } from './broker.ts';

/** Without a leader yet, JetStream is asked again for so long. */
const INFO_MS = 30_000;
const RETRY_MS = 250;
const GREETING_MS = 300;
const RACES_MS = 25_000;
const FORMED = ['jetstream', 'formation'];

/** Whether state can be kept on these servers. `jetstream` comes before the formation, all others after it. */
export function natsChecks(
  link: NatsLink,
  on: CheckedStore & { readonly servers: readonly string[]; readonly clock: Clock; readonly random: Random },
): readonly Check[] {
  const { clock, random } = on;
  let seen: Promise<readonly string[]> | undefined;
  // The server of this connection, and every other that can be reached.
  const versions = (): Promise<readonly string[]> => {
    const info = link.info();
    seen ??= greetings([...on.servers, ...(info?.connect_urls ?? [])], { timeoutMs: GREETING_MS }).then((heard) => [
      ...heard.filter(({ id }) => id !== info?.server_id).map(({ version }) => version),
      info?.version ?? '',
    ]);
    return seen;
  };
  const required = { required: true, after: FORMED };
  return [
    {
      name: 'jetstream',
      required: true,
      timeoutMs: INFO_MS + RETRY_MS,
      run: async () => jetStreamFinding({ jetstream: await hasJetStream(link, clock) }),
    },
    {
      ...required,
      name: 'nats-server',
      timeoutMs: 2_000,
      async run() {
        const found = await versions();
        const finding = versionFinding({ versions: found, servers: found.length, replicas: on.replicas() });
        return finding.verdict === 'ok' && found.length > 1
          ? { ...finding, message: `${finding.message}, ${found.length} servers seen` }
          : finding;
      },
    },
    {
      ...required,
      name: 'replicas',
      timeoutMs: 2_000,
      async run() {
        const replicas = on.replicas();
        return replicasFinding({ servers: Math.max(replicas, (await versions()).length), replicas });
      },
    },
    {
      ...required,
      name: 'compare-and-set',
      timeoutMs: RACES_MS,
      run: async () => compareAndSetFinding({ run: RACES, wrong: await casSelfTest(link, { replicas: on.replicas(), clock, random }) }),
    },
    {
      ...required,
      name: 'durability',
      timeoutMs: 1_000,
      run: async () =>
        on.durability === undefined
          ? { verdict: 'skipped', message: 'class quorum, unverified: no monitor of the servers is known' }
          : durabilityFinding(on.durability, on.replicas()),
    },
    clockCheck(clock, {
      after: FORMED,
      async other() {
        const time = await readServerTime(link, { bucket: on.bucket, timeoutMs: 1_000 });
        return time === undefined ? undefined : { ...time, uncertainMs: time.roundTripMs / 2 };
      },
    }),
  ];
}

async function hasJetStream(link: NatsLink, clock: Clock): Promise<boolean> {
  const untilMs = clock.monotonicMs() + INFO_MS;
  for (;;) {
    try {
      return (await readServerInfo(link, { timeoutMs: Math.max(1, untilMs - clock.monotonicMs()) })).jetStream;
    } catch (error) {
      if (clock.monotonicMs() + RETRY_MS >= untilMs) throw error;
      await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve));
    }
  }
}
