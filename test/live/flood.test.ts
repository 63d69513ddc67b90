import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import type { Answer } from './bare.ts';
import { rudeAgents } from './isolation-agents.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, memoryOf, report } from './support.ts';

/** Small enough that a flood fills it within seconds. */
const HEAP_MB = 160;
const AGENTS = 300;
/** At least, and at most: until it sheds. */
const FLOOD_MS = 20_000;
const LONGEST_FLOOD_MS = 60_000;
const BODY = 'x'.repeat(16_384);

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ nodes: 1, nodeArgs: [`--max-old-space-size=${HEAP_MB}`], agents: await rudeAgents(folder.path) });
});
afterAll(async () => {
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});
const status = async () => {
  const answer = await live.client.ask('ctl.n1', { type: 'status' }, { timeoutMs: 5_000 });
  return answer.ok
    ? (answer.reply as {
        readonly state: string;
        readonly uptimeMs: number;
        readonly deadLetters: number;
        readonly admission: { readonly level: string; readonly memory: number };
      })
    : undefined;
};

test('B1: a node with little memory that is flooded with asks, tells, spawns and durable messages sheds them with typed errors, and stays up', async () => {
  const pid = live.pid('n1');
  const from = live.events.length;
  for (let n = 0; n < AGENTS; n++) expect(await live.client.insist('spawn', { type: 'hoard', id: `${n}` })).toMatchObject({ ok: true });
  expect(await live.client.insist('spawn', { type: 'counter', id: 'kept' })).toMatchObject({ ok: true });
  expect(await live.client.insist('agent.counter.kept', { type: 'add', by: 7 })).toMatchObject({ ok: true });

  const codes = new Map<string, number>();
  const count = (kind: string, answer: Answer): void => {
    const code = answer.ok ? 'ok' : answer.error.code;
    const key = `${kind} ${code}`;
    codes.set(key, (codes.get(key) ?? 0) + 1);
  };
  const levels = new Set<string>();
  const sheds = (): boolean =>
    (levels.has('closed') || levels.has('shedding')) &&
    [...codes.keys()].some((key) => key.endsWith(' overloaded') || key === 'spawn unavailable');
  const fromMs = performance.now();
  const goesOn = (): boolean => performance.now() - fromMs < (sheds() ? FLOOD_MS : LONGEST_FLOOD_MS);
  const strangers = await Promise.all(['tells', 'asks', 'spawns', 'durable'].map((name) => live.connect(name)));
  const [tells, asks, spawns, durable] = strangers as [typeof live.client, typeof live.client, typeof live.client, typeof live.client];
  const take = new TextEncoder().encode(JSON.stringify({ type: 'take', text: BODY }));
  let told = 0;
  const telling = async (): Promise<void> => {
    while (goesOn()) {
      for (let n = 0; n < 100; n++) tells.nats.publish(`${live.prefix}.agent.hoard.${told++ % AGENTS}`, take);
      await tells.nats.flush();
    }
  };
  const asking = async (kind: string, client: typeof live.client, request: (n: number) => readonly [string, object]): Promise<void> => {
    for (let n = 0; goesOn(); n++) {
      const [subject, body] = request(n);
      count(kind, await client.ask(subject, body, { timeoutMs: 2_000 }));
    }
  };
  const many = (width: number, run: (lane: number) => Promise<void>): Promise<unknown> =>
    Promise.all(Array.from({ length: width }, (_, lane) => run(lane)));
  let most = 0;
  const watching = async (): Promise<void> => {
    while (goesOn()) {
      most = Math.max(most, await memoryOf(pid));
      const now = await status();
      if (now !== undefined) levels.add(now.admission.level);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.all([
    telling(),
    many(50, (lane) => asking('ask', asks, (n) => [`agent.hoard.${(n * 50 + lane) % AGENTS}`, { type: 'take', text: BODY }])),
    many(10, (lane) => asking('spawn', spawns, (n) => ['spawn', { type: 'counter', id: `s-${lane}-${n}`, config: undefined }])),
    many(10, (lane) => asking('durable', durable, (n) => [`durable.hoard.${(n * 10 + lane) % AGENTS}`, { type: 'take', text: BODY }])),
    watching(),
  ]);
  report(
    `${told} tells of 16 kB to ${AGENTS} slow agents of a node with a heap of ${HEAP_MB} MB in ${Math.round(performance.now() - fromMs)} ms, most resident ${Math.round(most / 1e6)} MB`,
  );
  report(`${JSON.stringify(Object.fromEntries([...codes].sort()))}; levels ${[...levels]}`);

  // The process is the same, it never ended.
  expect(live.pid('n1')).toBe(pid);
  expect(live.events.slice(from).filter(({ event }) => event === 'exited')).toEqual([]);
  // Closed it takes no agents, shedding no messages: how far it comes is the machine's.
  expect(sheds(), `${[...codes.keys()]}; levels ${[...levels]}`).toBe(true);
  for (const key of codes.keys()) {
    const [, code = ''] = key.split(' ');
    // Its own client's word for no answer in time; all else is an error of the table.
    expect(['ok', 'timeout', 'no-responders', ...Object.keys(ERRORS)], key).toContain(code);
  }

  const calm = await eventually('it takes everything again', 90_000, async () => {
    const now = await status();
    return now?.admission.level === 'open' && now;
  });
  expect(calm.state).toBe('running');
  expect(await live.client.insist('agent.counter.kept', { type: 'add', by: 1 })).toEqual({ ok: true, reply: { value: 8 } });
  expect(await live.client.insist('spawn', { type: 'counter', id: 'after' })).toMatchObject({ ok: true });
  expect(await live.client.ask('agent.hoard.0', { type: 'size' }, { timeoutMs: 60_000 })).toMatchObject({ ok: true });
  report(`dead letters ${calm.deadLetters}`);
});
