import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentsFolder, agentsFolder } from '../../../chaos/agents-folder.ts';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import type { Work, WorkKind } from '../../../chaos/workloads/work.ts';
import { type Client, connect } from '../../../src/client.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { eventually, type LiveCluster, liveCluster, report } from '../../live/support.ts';

/** Of every call; nothing is broken here, so it is for a machine that is busy. */
const TIMEOUT_MS = 5_000;
const ANSWERS = 40;

let folder: AgentsFolder;
let live: LiveCluster;
const clients: Client[] = [];
beforeAll(async () => {
  folder = await agentsFolder();
  live = await liveCluster({ nodes: 2, agents: folder.path });
  for (let at = 0; at < 2; at++) clients.push(await connect({ nats: live.urls, cluster: live.cluster, listed: false }));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  await live?.stop();
  await folder?.remove();
});

interface Running {
  readonly kind: WorkKind;
  readonly work: Work;
  answers: number;
}

test('every workload holds on real nodes and a real server', async () => {
  const enough = new AbortController();
  const running = Object.values(WORKLOADS).map((kind): Running => {
    const each: Running = {
      kind,
      answers: 0,
      work: kind.start({
        client: (key) => clients[key % clients.length] as Client,
        moveOn: () => undefined,
        clock: systemClock,
        random: seededRandom(7),
        signal: enough.signal,
        timeoutMs: TIMEOUT_MS,
        onEnded: ({ outcome }) => {
          if (outcome === 'ok') each.answers++;
        },
      }),
    };
    return each;
  });
  await Promise.all(running.map(({ work }) => work.begin()));
  const begunMs = systemClock.monotonicMs();
  await eventually('all of them work', 60_000, () => running.every(({ work, answers }) => work.recovered(begunMs) && answers >= ANSWERS));
  enough.abort();
  await Promise.all(running.map(({ work }) => work.end()));
  for (const { work } of running) await work.finish();
  const judged = running.flatMap(({ kind, work }) => kind.check(work.record()).map((each) => ({ workload: kind.name, ...each })));
  report(running.map(({ kind, answers }) => `${kind.name} ${answers}`).join(', '));
  expect(judged.filter(({ verdict }) => verdict.verdict !== 'ok')).toEqual([]);
});
