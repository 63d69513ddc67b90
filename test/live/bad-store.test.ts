import { connect, headers, type JetStreamManager, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { startServers } from '../support/nats.ts';
import { nexa } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** What an administrator, or somebody else's program, does to the store of a running cluster. */
let live: LiveCluster;
let nats: NatsConnection;
let jsm: JetStreamManager;
beforeAll(async () => {
  live = await liveCluster({ nodes: 2 });
  nats = await connect({ servers: [...live.urls] });
  jsm = await nats.jetstreamManager();
});
afterAll(async () => {
  await nats?.close();
  await live?.stop();
});

const bucket = (store: string): string => `nexa_${live.cluster}_${store}`;
const spawn = (id: string, more: object = {}, options = {}) => live.client.ask('spawn', { type: 'counter', id, ...more }, options);
/** What a test begins with. */
const spawned = async (id: string, node?: string): Promise<void> => {
  const placement = node === undefined ? {} : { placement: { node } };
  expect(await live.client.insist('spawn', { type: 'counter', id, ...placement })).toMatchObject({ ok: true });
};
const add = (id: string) => live.client.ask(`agent.counter.${id}`, { type: 'add', by: 1 });
const rowOf = async (id: string) => (await live.client.list()).find((row) => row.id === id);
/** What there is, byte for byte. */
const lastOf = async (store: string, key: string) => {
  const { seq, data } = await jsm.streams.getMessage(`KV_${bucket(store)}`, { last_by_subj: `$KV.${bucket(store)}.${key}` });
  return { seq, hex: Buffer.from(data).toString('hex') };
};
async function put(store: string, key: string, bytes: Uint8Array): Promise<number> {
  const answer = await nats.request(`$KV.${bucket(store)}.${key}`, bytes, { timeout: 5_000 });
  return (JSON.parse(new TextDecoder().decode(answer.data)) as { readonly seq: number }).seq;
}
const deletion = () => {
  const marked = headers();
  marked.set('KV-Operation', 'DEL');
  return marked;
};
const allUp = async (): Promise<void> => {
  for (const node of live.nodes) {
    const answer = await live.client.insist(`ctl.${node}`, { type: 'status' });
    expect(answer).toMatchObject({ ok: true, reply: { state: 'running', suspended: false } });
  }
};

test('a full store refuses by name and for certain, nobody ends, and once there is room the same agents go on', async () => {
  for (const node of live.nodes) await spawned(`full-${node}`, node);
  for (const store of ['STATE', 'AGENTS'] as const) {
    const stream = `KV_${bucket(store)}`;
    const { config, state } = await jsm.streams.info(stream);
    await jsm.streams.update(stream, { ...config, max_bytes: Math.max(1, state.bytes) });
    // A request id is kept with its reply, so the state grows.
    const grown = () => live.client.ask('agent.counter.full-n1', { type: 'add', by: 1 }, { requestId: 'r'.repeat(64) });
    const refused = await (store === 'STATE' ? grown() : spawn('late'));
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'quota-exceeded', definite: true, where: { store: bucket(store), subject: expect.stringContaining('counter.') } },
    });
    await allUp();
    await jsm.streams.update(stream, { ...config, max_bytes: -1 });
  }
  for (const node of live.nodes) expect(await add(`full-${node}`)).toEqual({ ok: true, reply: { value: 1 } });
  expect(await spawn('late')).toMatchObject({ created: true });
});

test('a record of an agent that nobody can read puts that agent aside, in words, and nobody writes over it', async () => {
  const later = createCodec().encode([2, 'counter', 'later', {}]);
  const cases = [
    ['garbage', Uint8Array.of(0xc1, 0xff, 0x00), 'corrupt-record'],
    ['cut', undefined, 'corrupt-record'],
    ['empty', new Uint8Array(0), 'corrupt-record'],
    ['later', later, 'unknown-version'],
  ] as const;
  await spawned('sound');
  const added = new Map<string, number>();
  for (const [id, bytes, code] of cases) {
    // Where it is it stays, whatever its neighbours carry: nobody writes its record by the way.
    await spawned(id, 'n1');
    expect(await add(id)).toEqual({ ok: true, reply: { value: 1 } });
    const whole = Buffer.from((await lastOf('AGENTS', `counter.${id}`)).hex, 'hex');
    const seq = await put('AGENTS', `counter.${id}`, bytes ?? whole.subarray(0, whole.length / 2));
    const there = await lastOf('AGENTS', `counter.${id}`);
    const row = await eventually(`${id} is put aside`, 20_000, async () => {
      const found = await rowOf(id);
      return found?.state === 'quarantined' && found;
    });
    expect(row).toMatchObject({ node: null, epoch: seq, why: expect.stringContaining(code) });
    // One node has heard of it; the owner may be the other one, and hear of it later.
    const refused = await eventually(`${id} takes nothing any more`, 20_000, async () => {
      const answer = await add(id);
      if (answer.ok) added.set(id, answer.reply.value);
      return !answer.ok && answer;
    });
    expect(refused).toMatchObject({ error: { code: 'quarantined', definite: true } });
    const where = { store: 'AGENTS', key: `counter.${id}`, revision: String(seq) };
    expect(await spawn(id)).toMatchObject({ ok: false, error: { code, definite: true, where, fix: expect.any(String) } });
    expect(await live.client.ask('agents', { type: 'stop', agent: 'counter', id })).toMatchObject({ ok: false, error: { code, where } });
    expect(await lastOf('AGENTS', `counter.${id}`)).toEqual(there);
  }
  expect(await add('sound')).toEqual({ ok: true, reply: { value: 1 } });
  await allUp();
  // What the fix says: without the record it is spawned again, above all earlier epochs, with its state.
  await nats.request(`$KV.${bucket('AGENTS')}.counter.garbage`, '', { timeout: 5_000, headers: deletion() });
  await eventually('garbage is spawned again', 10_000, async () => (await spawn('garbage')).ok);
  expect(await add('garbage')).toEqual({ ok: true, reply: { value: (added.get('garbage') ?? 1) + 1 } });
});

test('a state that nobody can read costs its agent alone, whether it runs or begins; nexa ps says why, and forgetting it is the way back', async () => {
  const later = createCodec().encode([99, 'x', 1, 1, 1, null, []]);
  const cases = [
    ['state-running', Uint8Array.of(0xc1, 0xff, 0x00), 'corrupt-record'],
    ['state-cut', undefined, 'corrupt-record'],
    ['state-later', later, 'unknown-version'],
  ] as const;
  await spawned('beside', 'n1');
  for (const [id, bytes, code] of cases) {
    await spawned(id, 'n1');
    expect(await add(id)).toEqual({ ok: true, reply: { value: 1 } });
    const whole = Buffer.from((await lastOf('STATE', `counter.${id}`)).hex, 'hex');
    await put('STATE', `counter.${id}`, bytes ?? whole.subarray(0, whole.length / 2));
    const there = await lastOf('STATE', `counter.${id}`);
    // Its owner finds out with its next write, and again each time it is tried: until it is put aside.
    const row = await eventually(`${id} is put aside, or gives up`, 60_000, async () => {
      const answer = await add(id);
      expect(answer.ok).toBe(false);
      const found = await rowOf(id);
      return (found?.state === 'quarantined' || found?.state === 'unplaced') && found.why.includes(code) && found;
    });
    expect(row).toMatchObject({ node: null });
    // While it is tried again it is shown as one that starts.
    await eventually('nexa ps says why', 60_000, async () => {
      const { stdout } = await nexa('ps', '--cluster', live.cluster, '--nats', live.urls.join(','));
      return new RegExp(`counter/${id} .*${code}`).test(stdout);
    });
    expect(await lastOf('STATE', `counter.${id}`)).toEqual(there);
    expect(await add('beside')).toMatchObject({ ok: true });
  }
  await allUp();
  // The way back that docs/operations.md shows.
  const at = ['--cluster', live.cluster, '--nats', live.urls.join(',')];
  expect(await nexa('stop', 'counter/state-cut', '--forget', ...at)).toMatchObject({ exit: 0 });
  expect(await nexa('spawn', 'counter', 'state-cut', ...at)).toMatchObject({ exit: 0 });
  expect(await add('state-cut')).toEqual({ ok: true, reply: { value: 1 } });
});

test('a member record that nobody can read costs that node, with its name and the place, and no other one', async () => {
  await live.settled();
  await spawned('of-n1', 'n1');
  const from = live.events.length;
  const seq = await put('MEMBERS', 'n2', Uint8Array.of(0xc1));
  const there = await lastOf('MEMBERS', 'n2');
  await eventually('n2 is suspended', 20_000, async () => {
    const answer = await live.client.ask('ctl.n2', { type: 'status' });
    return answer.ok && answer.reply.suspended === true;
  });
  expect(await add('of-n1')).toEqual({ ok: true, reply: { value: 1 } });
  expect(await lastOf('MEMBERS', 'n2')).toEqual(there);
  expect(there.seq).toBe(seq);
  await nats.request(`$KV.${bucket('MEMBERS')}.n2`, '', { timeout: 5_000, headers: deletion() });
  const over = await eventually('n2 is over', 120_000, () =>
    live.events.slice(from).find(({ event, node }) => event === 'exited' && node === 'n2'),
  );
  expect(over).toMatchObject({ code: 75 });
  const startedMs = performance.now();
  await live.heard('ready', 'n2', from);
  report(`a member whose record was destroyed is back ${Math.round(performance.now() - startedMs)} ms after its exit`);
  await live.settled();
  await allUp();
});

test('states that were purged under running agents put those agents aside, each with its first write, and the next spawn begins them anew', async () => {
  await live.settled();
  for (const node of live.nodes) {
    await spawned(`purged-${node}`, node);
    expect(await add(`purged-${node}`)).toEqual({ ok: true, reply: { value: 1 } });
  }
  await jsm.streams.purge(`KV_${bucket('STATE')}`);
  for (const node of live.nodes) {
    const id = `purged-${node}`;
    const where = { store: 'STATE', key: `counter.${id}`, revision: expect.any(String) };
    expect(await add(id)).toMatchObject({ ok: false, error: { code: 'corrupt-record', definite: false, where, fix: expect.any(String) } });
    const row = await eventually(`${id} is put aside`, 20_000, async () => {
      const found = await rowOf(id);
      return found?.state === 'quarantined' && found;
    });
    expect(row).toMatchObject({ node: null, why: expect.stringContaining('corrupt-record') });
    expect(await add(id)).toMatchObject({ ok: false, error: { code: 'quarantined', definite: true } });
  }
  await allUp();
  const doctor = await nexa('doctor', '--nats', live.urls.join(','), '--cluster', live.cluster);
  expect(doctor.stdout + doctor.stderr).toMatch(/purged-n1.*corrupt-record|corrupt-record.*purged-n1/s);
  for (const node of live.nodes) {
    expect(await spawn(`purged-${node}`)).toMatchObject({ created: true });
    expect(await add(`purged-${node}`)).toEqual({ ok: true, reply: { value: 1 } });
  }
});

test('a store that is deleted under a running cluster is named to those who need it; once it is there again, agents go on by themselves', async () => {
  await live.settled();
  for (const node of live.nodes) await spawned(`lost-${node}`, node);
  expect(await add('lost-n1')).toEqual({ ok: true, reply: { value: 1 } });
  expect(await live.client.insist('spawn', { type: 'echo', id: 'unharmed' })).toMatchObject({ ok: true });
  await jsm.streams.delete(`KV_${bucket('STATE')}`);
  expect(await live.client.ask('agent.counter.lost-n1', { type: 'add', by: 1 }, { timeoutMs: 20_000 })).toMatchObject({
    ok: false,
    error: { code: 'store-misconfigured', definite: false, where: { store: `KV_${bucket('STATE')}` }, fix: expect.any(String) },
  });
  // A store is missing when it was so several times in a row.
  expect(await spawn('without-state', { placement: { node: 'n1' } }, { timeoutMs: 20_000 })).toMatchObject({
    ok: false,
    error: { code: 'store-misconfigured', where: { store: `KV_${bucket('STATE')}` } },
  });
  const degraded = await live.client.insist('ctl.n1', { type: 'status' });
  expect(degraded).toMatchObject({
    ok: true,
    reply: { subsystems: { store: 'degraded' }, degraded: expect.arrayContaining(['stores']) },
  });
  expect(await live.client.ask('agent.echo.unharmed', { type: 'echo', text: 'x' })).toMatchObject({ ok: true });
  await allUp();
  const broken = await nexa('doctor', '--nats', live.urls.join(','), '--cluster', live.cluster);
  expect(broken.stdout + broken.stderr).toMatch(/STATE is missing/);
  await nexa('doctor', '--repair', '--yes', '--nats', live.urls.join(','), '--cluster', live.cluster);
  for (const node of live.nodes) {
    // As the repair says: each durable agent begins with its initial state.
    const answer = await eventually(`lost-${node} answers`, 90_000, async () => {
      const added = await live.client.ask(`agent.counter.lost-${node}`, { type: 'add', by: 1 }, { timeoutMs: 2_000 });
      return added.ok && added;
    });
    expect(answer.reply.value).toBeGreaterThanOrEqual(1);
  }
  await allUp();
});

test('without its store of agents a cluster goes on, spawn names the store soon, and each node says that it is degraded and why', async () => {
  await live.settled();
  await spawned('before', 'n1');
  const stream = `KV_${bucket('AGENTS')}`;
  await jsm.streams.delete(stream);
  expect(await spawn('after', {}, { timeoutMs: 20_000 })).toMatchObject({
    ok: false,
    error: { code: 'store-misconfigured', where: { store: stream }, fix: expect.stringContaining('nexa doctor --repair') },
  });
  expect(await add('before')).toEqual({ ok: true, reply: { value: 1 } });
  const at = ['--nats', live.urls.join(','), '--cluster', live.cluster];
  for (const node of live.nodes) {
    await eventually(`${node} says what it lacks`, 20_000, async () => {
      const answer = await live.client.ask(`ctl.${node}`, { type: 'status' });
      return answer.ok && answer.reply.subsystems.store === 'degraded' && answer.reply.degraded.includes('stores');
    });
    expect((await nexa('status', node, ...at)).stdout).toContain(`missing: ${stream}`);
  }
  await nexa('doctor', '--repair', '--yes', ...at);
  await eventually('agents are spawned again, and nobody is degraded', 60_000, async () => {
    const spawned = await spawn('after');
    const answers = await Promise.all(live.nodes.map((node) => live.client.ask(`ctl.${node}`, { type: 'status' })));
    return 'created' in spawned && answers.every((answer) => answer.ok && answer.reply.subsystems.store === 'ok');
  });
  expect(await add('after')).toEqual({ ok: true, reply: { value: 1 } });
});

test('a bucket that somebody else made is refused at the formation, with the settings that differ', async () => {
  await using servers = await startServers();
  const theirs = await connect({ servers: [...servers.urls] });
  try {
    await (await theirs.jetstreamManager()).streams.add({
      name: 'KV_nexa_foreign_STATE',
      subjects: ['$KV.nexa_foreign_STATE.>'],
      max_age: 60_000_000_000,
      max_msgs_per_subject: 5,
      allow_direct: true,
    });
    const started = await nexa('node', '--name', 'n1', '--cluster', 'foreign', '--nats', servers.urls.join(','));
    expect(started.exit).toBe(1);
    expect(started.stderr).toMatch(/STATE exists with other settings: .*max_msgs_per_subject/);
    expect(started.stderr).toMatch(/max_age/);
    expect(started.stderr).toMatch(/allow_direct/);
    expect(started.stderr).toMatch(/discard/);
    expect(started.stderr).toMatch(/another --cluster name/);
  } finally {
    await theirs.close();
  }
});
