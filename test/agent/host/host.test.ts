import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import {
  command,
  counter,
  defineAgent,
  internal,
  local,
  type NexaError,
  type NexaNode,
  type Outcome,
  type ReplyTo,
  refTo,
  startNode,
} from '../../../index.ts';

const WITHIN = { timeoutMs: 5_000 };
const nodes: NexaNode[] = [];
const start = async (...agents: NonNullable<NonNullable<Parameters<typeof startNode>[0]>['agents']>): Promise<NexaNode> => {
  const node = await startNode({ nats: 'memory', agents });
  nodes.push(node);
  return node;
};
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error) => (error as NexaError).code,
  );

const relay = defineAgent({
  type: 'relay',
  version: 1,
  commands: {
    add: command({ to: refTo(counter), by: z.int() }, { reply: z.object({ value: z.int() }) }),
    added: local<{ outcome: Outcome<{ value: number }>; replyTo: ReplyTo<{ value: number }> }>(),
    runs: command({}, { reply: z.object({ runs: z.int() }) }),
  },
  state: z.object({ runs: z.int() }),
  initial: { runs: 0 },
}).handle({
  add(context, { to, by }) {
    const { replyTo } = context;
    context.pipe(
      (signal) => to.ask({ type: 'add', by }, { timeoutMs: 1_000, signal }),
      (outcome) => ({ type: 'added', outcome, replyTo }),
    );
    return { state: { runs: context.state.runs + 1 }, deferred: true };
  },
  added(_context, { outcome, replyTo }) {
    if (outcome.ok) replyTo.tell(outcome.value);
    else replyTo.refuse(outcome.error);
  },
  runs: ({ state }) => ({ reply: state }),
});

test('a ref of another agent travels in a command, and a deferred answer reaches the asker', async () => {
  const node = await start(relay);
  const { ref: alice } = await node.spawn(counter, { id: 'alice' });
  const { ref } = await node.spawn(relay, { id: 'r' });
  expect(await ref.ask({ type: 'add', to: alice, by: 4 }, WITHIN)).toEqual({ value: 4 });
  expect(await ref.ask({ type: 'add', to: 'nexa:counter/alice', by: 1 }, WITHIN)).toEqual({ value: 5 });
});

test('a repeat of a deferred request joins the first: one effect, the same answer', async () => {
  const node = await start(relay);
  const { ref: alice } = await node.spawn(counter, { id: 'alice' });
  const { ref } = await node.spawn(relay, { id: 'r' });
  const ask = () => ref.ask({ type: 'add', to: alice, by: 4 }, { ...WITHIN, requestId: 'once' });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ value: 4 }, { value: 4 }, { value: 4 }]);
  expect(await ask()).toEqual({ value: 4 });
  expect(await ref.ask({ type: 'runs' }, WITHIN)).toEqual({ runs: 1 });
  expect(await alice.ask({ type: 'get' }, WITHIN)).toEqual({ value: 4 });
});

const fragile = defineAgent({
  type: 'fragile',
  version: 1,
  commands: {
    set: command({ text: z.string() }),
    get: command({}, { reply: z.object({ text: z.string(), starts: z.int() }) }),
    crash: command({}),
    leave: command({}),
    long: command({}, { reply: z.object({ text: z.string() }) }),
    wrong: command({}, { reply: z.object({ text: z.string() }) }),
    again: internal({}),
  },
  state: z.object({ text: z.string() }),
  initial: { text: '' },
  limits: { stateBytes: 100 },
}).handle(
  {
    set: (_context, { text }) => ({ state: { text } }),
    get: ({ state, id }) => ({ reply: { ...state, starts: starts.get(id) ?? 0 } }),
    crash: () => {
      throw new Error('on purpose');
    },
    leave: () => ({ next: 'stop' }),
    long: () => ({ state: { text: 'changed' }, reply: { text: 'x'.repeat(200_000) } }),
    wrong: () => ({ reply: { text: 7 as unknown as string } }),
    again: () => undefined,
  },
  {
    started({ id }) {
      starts.set(id, (starts.get(id) ?? 0) + 1);
    },
  },
);
const starts = new Map<string, number>();

test('a crash loses the message that crashed; what was stored is there when it runs again', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'crash' });
  await ref.ask({ type: 'set', text: 'kept' }, WITHIN);
  expect(await codeOf(ref.ask({ type: 'crash' }, WITHIN))).toBe('crashed');
  expect(await ref.ask({ type: 'get' }, WITHIN)).toEqual({ text: 'kept', starts: 2 });
});

test('past its restart intensity it is quarantined, fells no node, and lives again when it is spawned', { timeout: 60_000 }, async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'often' });
  await ref.ask({ type: 'set', text: 'kept' }, WITHIN);
  const codes: string[] = [];
  for (let n = 0; n < 20 && codes.at(-1) !== 'quarantined'; n++)
    codes.push(await codeOf(ref.ask({ type: 'crash' }, { timeoutMs: 20_000 })));
  expect(codes.at(-1)).toBe('quarantined');
  expect(node.state).toBe('running');
  const again = await node.spawn(fragile, { id: 'often', spawnId: 'revived' });
  expect(again.created).toBe(true);
  expect(await ref.ask({ type: 'get' }, WITHIN)).toMatchObject({ text: 'kept' });
});

test('a state above its bound is refused typed and changes nothing', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'large' });
  await ref.ask({ type: 'set', text: 'small' }, WITHIN);
  expect(await codeOf(ref.ask({ type: 'set', text: 'x'.repeat(200) }, WITHIN))).toBe('quota-exceeded');
  expect(await ref.ask({ type: 'get' }, WITHIN)).toMatchObject({ text: 'small' });
});

test('a reply too large to be stored for repeats is refused typed, changes nothing and fails nobody', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'long' });
  for (let n = 0; n < 8; n++) expect(await codeOf(ref.ask({ type: 'long' }, { ...WITHIN, requestId: `r${n}` }))).toBe('quota-exceeded');
  expect(await ref.ask({ type: 'get' }, WITHIN)).toEqual({ text: '', starts: 1 });
  // Nobody can repeat what has no id: it is answered, and not stored.
  expect(await codeOf(ref.ask({ type: 'long' }, WITHIN))).toBe('ok');
});

test('a reply that does not fit its schema is the agent’s crash, not the asker’s surprise', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'wrong' });
  expect(await codeOf(ref.ask({ type: 'wrong' }, WITHIN))).toBe('crashed');
});

test('an agent that stops by itself stays stopped, and its state is there when it is spawned again', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'leaves' });
  await ref.ask({ type: 'set', text: 'kept' }, WITHIN);
  await ref.ask({ type: 'leave' }, WITHIN);
  expect(await codeOf(ref.ask({ type: 'get' }, WITHIN))).toBe('no-such-actor');
  await node.spawn(fragile, { id: 'leaves', spawnId: 'second' });
  expect(await ref.ask({ type: 'get' }, WITHIN)).toMatchObject({ text: 'kept' });
});

test('stopping with forget deletes the state', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'forgotten' });
  await ref.ask({ type: 'set', text: 'secret' }, WITHIN);
  await node.stopAgent(ref, { forget: true });
  await node.spawn(fragile, { id: 'forgotten', spawnId: 'second' });
  expect(await ref.ask({ type: 'get' }, WITHIN)).toMatchObject({ text: '' });
});

test('an internal command does not exist for others, in a public message or by a ref', async () => {
  const node = await start(fragile);
  const { ref } = await node.spawn(fragile, { id: 'internal' });
  const loose = ref as unknown as { ask(message: object, options: object): Promise<unknown> };
  expect(await codeOf(loose.ask({ type: 'again' }, WITHIN))).toBe('unknown-command');
  expect(await codeOf(loose.ask({ type: 'set', text: 1 }, WITHIN))).toBe('invalid-message');
  expect(await codeOf(loose.ask({ type: 'set', text: 'a', more: 1 }, WITHIN))).toBe('invalid-message');
});
