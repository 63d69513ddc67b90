// The journals of 64 agents, each with one turn under way, beside what the server's own library does with as many appends of as many
// bytes to as many subjects under the same options; then the same turns as asks of agents. By turns in one run:
// npm run bench -- journal [servers: 1 | 3]
import { connect, type JetStreamClient } from 'nats';
import { type AgentRef, startNode } from 'nexa';
import { createCodec } from '../src/cluster/codec.ts';
import { subjects } from '../src/cluster/subject.ts';
import { Journal } from '../src/durable/journal.ts';
import { SnapshotTroubles } from '../src/durable/snapshot-troubles.ts';
import type { StoredEvent } from '../src/durable/turn.ts';
import { jsonLog } from '../src/log.ts';
import { connectNats } from '../src/nats/connection.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { tally } from './agents/tally.ts';
import { devCluster } from './dev-cluster.ts';

const AT_ONCE = 64;
const EACH = 300;
const ROUNDS = 7;
const within = { timeoutMs: 60_000 };
const names = subjects('nexa');
type Tally = AgentRef<typeof tally.commands>;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
/** Each of them so many times, one after the other; all of them at once. */
async function all(run: (index: number) => Promise<unknown>): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  const fromMs = performance.now();
  const fromCpuMs = cpuMs();
  const one = async (_: unknown, index: number): Promise<void> => {
    for (let count = 0; count < EACH; count++) await run(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const count = AT_ONCE * EACH;
  return { perSecond: count / ((performance.now() - fromMs) / 1_000), cpuUs: ((cpuMs() - fromCpuMs) * 1_000) / count };
}
/** The journals of as many agents, over a connection as a node has it. */
async function journals(url: string) {
  const log = jsonLog({ level: 'error' });
  const at = { clock: systemClock, random: systemRandom };
  const link = await connectNats({ servers: [url], name: 'bench', role: 'control', log, ...at });
  const troubles = new SnapshotTroubles({ log, clock: systemClock });
  const folding = {
    ...{ version: 1, config: undefined, initial: () => ({ count: 0 }), lifts: () => true, lift: (state: unknown) => state },
    fold: (state: unknown, events: readonly StoredEvent[]) => ({ count: (state as { readonly count: number }).count + events.length }),
  };
  const open = (id: string): Promise<Journal> =>
    Journal.open({
      ...{
        stores: link.stores(),
        subjects: names,
        type: 'bench-raw',
        id,
        codec: createCodec(),
        storeMs: 60_000,
        epoch: 1,
        folding,
        troubles,
      },
      ...{ snapshotEvery: { events: 10_000, bytes: 4_194_304 }, signal: new AbortController().signal, ...at },
    });
  const opened: Journal[] = [];
  for (let index = 0; index < AT_ONCE; index++) opened.push(await open(`j${index}`));
  const event: StoredEvent = { type: 'added', data: { by: 1 } };
  return {
    commit: (index: number): Promise<void> => {
      const journal = opened[index] as Journal;
      return journal.commit({ state: { count: (journal.state as { readonly count: number }).count + 1 }, events: [event] });
    },
    close: () => link.close(),
  };
}
/** Into the same stream, so that the same server leads it; with ids and bytes as the journals'. */
function published(js: JetStreamClient, payload: Uint8Array): (index: number) => Promise<void> {
  const last = new Map<number, number>();
  return async (index) => {
    const expect = { lastSubjectSequence: last.get(index) ?? 0 };
    const options = { msgID: systemRandom.id(), expect, timeout: 60_000 };
    last.set(index, (await js.publish(names.record('journal', 'bench-nats', String(index)), payload, options)).seq);
  };
}
async function took(count: number, run: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (let index = 0; index < count; index++) {
    const fromMs = performance.now();
    await run(index);
    tookMs.push(performance.now() - fromMs);
  }
  return tookMs.sort((a, b) => a - b);
}

const servers = Number(process.argv[2] ?? 3) === 1 ? 1 : 3;
await using cluster = await devCluster({ servers, nodes: 1 });
await using node = await startNode({ nats: cluster.nats, name: 'near', agents: [tally] });
const raw = await connect({ servers: cluster.nats, noAsyncTraces: true });
const placement = { node: 'near' };
const refs: Tally[] = [];
for (let index = 0; index < AT_ONCE; index++) refs.push((await node.spawn(tally, { id: `t${index}`, placement })).ref);
const kept = await journals(cluster.nats);
await kept.commit(0);
const jsm = await raw.jetstreamManager();
const stored = await jsm.streams.getMessage(names.store('JOURNAL'), { last_by_subj: names.record('journal', 'bench-raw', 'j0') });
const publish = published(raw.jetstream(), stored.data);
const runs = {
  publish: () => all(publish),
  journal: () => all(kept.commit),
  agents: () => all((index) => (refs[index] as Tally).ask({ type: 'add', by: 1 }, within)),
};
type What = keyof typeof runs;
const seen: Record<What, Awaited<ReturnType<typeof all>>[]> = { publish: [], journal: [], agents: [] };
for (let round = 0; round <= ROUNDS; round++)
  for (const what of ['publish', 'journal', 'agents'] as const) {
    const result = await runs[what]();
    // The first round is for the compilers.
    if (round > 0) seen[what].push(result);
  }
const spawns = await took(200, () => node.spawn(tally, { placement }));
await Promise.all([raw.close(), kept.close()]);
const of = (what: What, field: 'perSecond' | 'cpuUs'): number => Math.round(median(seen[what].map((each) => each[field])));
const results = (['publish', 'journal', 'agents'] as const).map((what) => ({
  ...{ what, servers, atOnce: AT_ONCE, perSecond: of(what, 'perSecond'), cpuUs: of(what, 'cpuUs') },
  // Beside the library's own in the same round, so that what else the machine does counts on both sides.
  ratio: Number(median(seen[what].map(({ perSecond }, round) => perSecond / (seen.publish[round]?.perSecond ?? 1))).toFixed(2)),
}));
const at = (share: number): number => Number((spawns[Math.floor(spawns.length * share)] ?? 0).toPrecision(3));
const spawn = { what: 'spawn: claim, load and fence', p50: at(0.5), p99: at(0.99), unit: 'ms' };
console.table(results);
console.table([spawn]);
console.log(JSON.stringify({ node: process.version, results, spawn }));
