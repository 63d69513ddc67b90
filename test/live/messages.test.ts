import { afterAll, beforeAll, expect, test } from 'vitest';
import { receive, stopped } from '../../src/actor/behavior.ts';
import type { Request } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef, AnyRef } from '../../src/actor/ref.ts';
import { oneForOne } from '../../src/actor/strategy.ts';
import { readMonitor } from '../../src/nats-server/monitor.ts';
import { startNode } from '../../supervisors/node.ts';
import type { NexaNode } from '../../supervisors/node-contract.ts';
import { granted } from './granted.ts';
import { moodyAgents, temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
let a: NexaNode;
let b: NexaNode;
beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ nodes: 2, agents: await moodyAgents(folder.path) });
  const shared = { cluster: live.cluster, nats: live.urls };
  [a, b] = await Promise.all([startNode({ ...shared, name: 'a' }), startNode({ ...shared, name: 'b' })]);
});
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

/** An actor of `at`, as `from` reaches it: over the wire. */
const across = <M>(from: NexaNode, ref: ActorRef<M>): ActorRef<M> => from.system.unsafeRef<M>(ref.toJSON());
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: { readonly code: string }) => error.code,
  );
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Get = Request<{ readonly type: 'get' }, string>;
const saying = (text: string): Props<Get> => ({ behavior: () => receive<Get>((context, message) => context.reply(message, text)) });

test('M2: what one actor tells another on another node is handled in the order sent, nothing missing or twice', async () => {
  type Number = { readonly type: 'number'; readonly n: number };
  const total = 20_000;
  const heard: number[] = [];
  const recorder = across(a, b.system.spawn<Number>({ behavior: () => receive<Number>((_context, { n }) => void heard.push(n)) }));
  const beganMs = performance.now();
  for (let n = 0; n < total; n++) if (!recorder.tell({ type: 'number', n })) await recorder.ready({ timeoutMs: 10_000 });
  await eventually('all are heard', 20_000, () => heard.length >= total);
  report(`${total} tells between two nodes, in order: ${Math.round(total / ((performance.now() - beganMs) / 1_000))} a second`);
  await pause(100);
  expect(heard).toEqual(Array.from({ length: total }, (_, n) => n));
});

test('M2: asks and tells of one sender keep one order across nodes', async () => {
  type Both = { readonly type: 'told'; readonly n: number } | Request<{ readonly type: 'asked'; readonly n: number }, number>;
  const heard: number[] = [];
  const both = across(
    a,
    b.system.spawn<Both>({
      behavior: () =>
        receive<Both>((context, message) => {
          heard.push(message.n);
          if (message.type === 'asked') context.reply(message, message.n);
        }),
    }),
  );
  const asks: Promise<number>[] = [];
  for (let n = 0; n < 400; n++) {
    if (n % 3 === 0) asks.push(both.ask({ type: 'asked', n }, { timeoutMs: 10_000 }));
    else both.tell({ type: 'told', n });
  }
  expect(await Promise.all(asks)).toEqual(Array.from({ length: 134 }, (_, n) => n * 3));
  await eventually('the last tell is heard', 5_000, () => heard.length === 400);
  expect(heard).toEqual(Array.from({ length: 400 }, (_, n) => n));
});

test('M3: an ask across nodes has exactly one outcome: a reply, a refusal, a crash, a timeout, or nobody there', async () => {
  type Ask = { readonly [Type in 'reply' | 'twice' | 'crash' | 'sleep']: Request<{ readonly type: Type }, string> }[
    | 'reply'
    | 'twice'
    | 'crash'
    | 'sleep'];
  const props: Props<Ask> = {
    behavior: () =>
      receive<Ask>((context, message) => {
        switch (message.type) {
          case 'crash':
            throw new Error('boom');
          case 'sleep':
            // Its answer comes after the deadline, and is for nobody.
            return pause(700).then(() => void context.reply(message, 'late'));
          case 'twice':
            context.reply(message, 'first');
            return context.reply(message, 'second');
          default:
            return context.reply(message, message.type);
        }
      }),
  };
  const ref = b.system.spawn(props);
  const remote = across(a, ref);
  const settled: string[] = [];
  const ask = async (type: 'reply' | 'twice' | 'crash' | 'sleep', timeoutMs = 5_000) => {
    const beganMs = performance.now();
    const outcome = await codeOf(remote.ask({ type } as { readonly type: 'reply' }, { timeoutMs }));
    settled.push(type);
    return [outcome, performance.now() - beganMs] as const;
  };
  expect((await ask('reply'))[0]).toEqual({ value: 'reply' });
  expect((await ask('twice'))[0]).toEqual({ value: 'first' });
  expect((await ask('crash'))[0]).toBe('crashed');
  const [late, ms] = await ask('sleep', 300);
  expect(late).toBe('ask-timeout');
  expect(ms).toBeGreaterThanOrEqual(299);
  expect((await ask('reply'))[0]).toEqual({ value: 'reply' });
  const beganMs = performance.now();
  expect(
    await codeOf(
      across(a, b.system.unsafeRef<Ask>(ref.toJSON().replace(/#\d+$/, '#999999'))).ask({ type: 'reply' }, { timeoutMs: 20_000 }),
    ),
  ).toBe('no-such-actor');
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  expect(settled).toEqual(['reply', 'twice', 'crash', 'sleep', 'reply']);
});

test('M5: a full mailbox on another node refuses an ask with mailbox-full, and takes what it had accepted', async () => {
  type Hold = Request<{ readonly type: 'hold' }, string>;
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let holding = 0;
  const remote = across(
    a,
    b.system.spawn<Hold>({
      mailbox: { limit: 5 },
      behavior: () =>
        receive<Hold>((context, message) => {
          holding++;
          return opened.then(() => void context.reply(message, 'held'));
        }),
    }),
  );
  const settled: unknown[] = [];
  const ask = async (): Promise<unknown> => {
    const outcome = await codeOf(remote.ask({ type: 'hold' }, { timeoutMs: 20_000 }));
    settled.push(outcome);
    return outcome;
  };
  const handled = ask();
  await eventually('the first one is being handled', 10_000, () => holding === 1);
  const asks = [handled, ...Array.from({ length: 19 }, ask)];
  await eventually('all but five of the others are refused', 10_000, () => settled.length === 14);
  open();
  const outcomes = await Promise.all(asks);
  expect(outcomes.filter((outcome) => outcome === 'mailbox-full')).toHaveLength(14);
  expect(outcomes.filter((outcome) => outcome !== 'mailbox-full')).toEqual(Array.from({ length: 6 }, () => ({ value: 'held' })));
  expect(holding).toBe(6);
});

interface Watcher {
  readonly ref: ActorRef<{ readonly type: 'watch'; readonly target: AnyRef }>;
  readonly heard: string[];
}
function watcherOn(node: NexaNode): Watcher {
  type Watch = { readonly type: 'watch'; readonly target: AnyRef };
  const heard: string[] = [];
  const ref = node.system.spawn<Watch>({
    behavior: () =>
      receive<Watch>(
        (context, { target }) => context.watch(target),
        (_context, signal) => {
          if (signal.signal === 'terminated') heard.push(`${signal.reason} ${signal.ref.toJSON()}`);
        },
      ),
  });
  return { ref, heard };
}
/** A parent whose children stop at the first failure, and the way to end them. */
function familyOn(node: NexaNode) {
  type Child = { readonly type: 'crash' } | { readonly type: 'hold' };
  type Parent =
    | { readonly type: 'stop'; readonly child: AnyRef }
    | Request<{ readonly type: 'make'; readonly hold?: Promise<void> }, ActorRef<Child>>;
  return node.system.spawn<Parent>({
    strategy: oneForOne({ decide: () => 'stop' }),
    behavior: () =>
      receive<Parent>((context, message) => {
        if (message.type === 'stop') return context.stop(message.child);
        const child: Props<Child> = {
          mailbox: { limit: 2 },
          behavior: () =>
            receive<Child>((_context, { type }) => {
              if (type === 'crash') throw new Error('boom');
              return message.hold;
            }),
        };
        return context.reply(message, context.spawn(child));
      }),
  });
}

test('L3: a watcher on another node hears once that its target stopped, failed, or never was', async () => {
  const { ref, heard } = watcherOn(a);
  const family = familyOn(b);
  const stopping = await family.ask({ type: 'make' }, { timeoutMs: 5_000 });
  const failing = await family.ask({ type: 'make' }, { timeoutMs: 5_000 });
  const nobody = stopping.toJSON().replace(/#\d+$/, '#999999');
  for (const target of [stopping, failing]) ref.tell({ type: 'watch', target: across(a, target) });
  // Watched twice is heard once.
  ref.tell({ type: 'watch', target: across(a, stopping) });
  ref.tell({ type: 'watch', target: a.system.unsafeRef(nobody) });
  await eventually('nobody is reported', 5_000, () => heard.length === 1);
  expect(heard).toEqual([`unknown ${nobody}`]);
  family.tell({ type: 'stop', child: stopping });
  across(a, failing).tell({ type: 'crash' });
  await eventually('both are reported', 15_000, () => heard.length >= 3);
  await pause(700);
  expect([...heard].sort()).toEqual([`failed ${failing.toJSON()}`, `stopped ${stopping.toJSON()}`, `unknown ${nobody}`]);
});

test('M6: watch and stop reach an actor whose mailbox is full, across nodes', async () => {
  const { ref, heard } = watcherOn(a);
  const family = familyOn(b);
  let open: () => void = () => {};
  const hold = new Promise<void>((resolve) => {
    open = resolve;
  });
  const child = await family.ask({ type: 'make', hold }, { timeoutMs: 5_000 });
  const remote = across(a, child);
  for (let n = 0; n < 50; n++) remote.tell({ type: 'hold' });
  ref.tell({ type: 'watch', target: remote });
  // On the same way behind it: when this is answered, the tells and the watch have arrived.
  const nobody = child.toJSON().replace(/#\d+$/, '#999999');
  ref.tell({ type: 'watch', target: a.system.unsafeRef(nobody) });
  await eventually('nobody is reported', 15_000, () => heard.length > 0);
  expect(heard).toEqual([`unknown ${nobody}`]);
  family.tell({ type: 'stop', child });
  open();
  await eventually('its end is reported', 15_000, () => heard.length > 1);
  expect(heard.slice(1)).toEqual([`stopped ${child.toJSON()}`]);
});

test('L4: a ref of an actor that ended never reaches its successor of the same name on another node', async () => {
  type Stop = { readonly type: 'stop' };
  const mortal = b.system.spawn<Stop | Get>(
    {
      behavior: () => receive<Stop | Get>((context, message) => (message.type === 'stop' ? stopped : context.reply(message, 'first'))),
    },
    'mortal',
  );
  const first = across(a, mortal);
  expect(await first.ask({ type: 'get' }, { timeoutMs: 5_000 })).toBe('first');
  first.tell({ type: 'stop' });
  const second = await eventually('its name is free', 5_000, () => {
    try {
      return b.system.spawn(saying('second'), 'mortal');
    } catch {
      return undefined;
    }
  });
  expect(await codeOf(first.ask({ type: 'get' }, { timeoutMs: 5_000 }))).toBe('no-such-actor');
  expect(await across(a, second).ask({ type: 'get' }, { timeoutMs: 5_000 })).toBe('second');
});

test('L3, L4, M3: when a node process is killed its watchers hear node-lost, asks end, and its next incarnation is another', async () => {
  const spawned = await granted(() => live.client.ask('spawn', { type: 'moody', id: 'parent', placement: { node: 'n1' } }));
  expect(spawned).toMatchObject({ agent: { node: 'n1' } });
  const childText = async (): Promise<string> => {
    const answer = await live.client.ask('agent.moody.parent', { type: 'child' }, { timeoutMs: 2_000 });
    return answer.ok ? answer.reply : '';
  };
  const text = await eventually('its parent answers', 20_000, childText);
  expect(text).toMatch(/^nexa:\/\/n1\.\d+\//);
  const child = a.system.unsafeRef<Get>(text);
  expect(await child.ask({ type: 'get' }, { timeoutMs: 5_000 })).toBe(`child of ${spawned.ok && spawned.agent?.epoch}`);
  const { ref, heard } = watcherOn(a);
  ref.tell({ type: 'watch', target: child });
  await pause(200);
  expect(heard).toEqual([]);

  const from = live.events.length;
  live.signal('n1', 'SIGSTOP');
  // Accepted by nobody yet, and its node is recorded gone before its deadline.
  const under = codeOf(child.ask({ type: 'get' }, { timeoutMs: 30_000 }));
  const killedMs = performance.now();
  live.signal('n1', 'SIGKILL');
  await eventually('its end is reported', 20_000, () => heard.length > 0);
  report(`SIGKILL of a node: a watcher elsewhere hears node-lost after ${Math.round(performance.now() - killedMs)} ms`);
  expect(await under).toBe('node-lost');
  await live.heard('ready', 'n1', from);
  expect(await codeOf(child.ask({ type: 'get' }, { timeoutMs: 5_000 }))).toBe('node-lost');
  expect(heard).toEqual([`node-lost ${text}`]);
  const again = await eventually('its parent answers again', 20_000, childText);
  expect(again).not.toBe(text);
  expect(await a.system.unsafeRef<Get>(again).ask({ type: 'get' }, { timeoutMs: 5_000 })).not.toBe(
    `child of ${spawned.ok && spawned.agent?.epoch}`,
  );
  expect(await codeOf(child.ask({ type: 'get' }, { timeoutMs: 5_000 }))).toBe('node-lost');
});

test('M8: ten thousand local tells and asks add no message to what the server hears anyway', async () => {
  const received = async (): Promise<number> => {
    const page = (await readMonitor('/varz', { port: live.servers.servers[0]?.monitorPort ?? 0 }, 5_000)) as { readonly in_msgs: number };
    return page.in_msgs;
  };
  let told = 0;
  type Local = { readonly type: 'tell' } | Request<{ readonly type: 'ask' }, number>;
  const ref = a.system.spawn<Local>({
    behavior: () => receive<Local>((context, message) => (message.type === 'ask' ? context.reply(message, ++told) : void ++told)),
  });
  const idleMs = 1_500;
  const idleFrom = await received();
  await pause(idleMs);
  const idle = (await received()) - idleFrom;
  const from = await received();
  const beganMs = performance.now();
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < 100; n++) ref.tell({ type: 'tell' });
    await Promise.all(Array.from({ length: 100 }, () => ref.ask({ type: 'ask' }, { timeoutMs: 10_000 })));
  }
  const ms = performance.now() - beganMs;
  // As long as the idle time, so that what beats and renewals send is the same.
  await pause(Math.max(0, idleMs - ms));
  const busy = (await received()) - from;
  report(`10,000 local sends in ${Math.round(ms)} ms: the server received ${busy} messages meanwhile, idle ${idle}`);
  expect(told).toBe(10_000);
  expect(busy).toBeLessThan(idle + 100 + (ms > idleMs ? idle * (ms / idleMs) : 0));
});

test('M8: a payload beyond the limit is refused at the sender with a typed error, and the next one passes', async () => {
  type Big = Request<{ readonly type: 'big'; readonly text: string }, number>;
  const props: Props<Big> = { behavior: () => receive<Big>((context, message) => context.reply(message, message.text.length)) };
  const remote = across(a, b.system.spawn(props));
  const text = 'x'.repeat(2 ** 24);
  expect(() => remote.tell({ type: 'big', text })).toThrowError(expect.objectContaining({ code: 'payload-too-large' }));
  expect(await codeOf(remote.ask({ type: 'big', text }, { timeoutMs: 5_000 }))).toBe('payload-too-large');
  expect(await remote.ask({ type: 'big', text: text.slice(0, 5_000_000) }, { timeoutMs: 5_000 })).toBe(5_000_000);
  // Nothing is copied or measured on the way to a neighbour.
  expect(await a.system.spawn(props).ask({ type: 'big', text }, { timeoutMs: 5_000 })).toBe(2 ** 24);
});
