import { connect as connectTcp } from 'node:net';
import { decode } from '@msgpack/msgpack';
import { headers as natsHeaders } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOSTILE_BODIES } from '../../chaos/faults/wire/hostile-bodies.ts';
import { encodeId } from '../../src/actor/address.ts';
import { ERRORS } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { alive, eventually, type LiveCluster, liveCluster, memoryOf, report } from './support.ts';

let live: LiveCluster;
let pids: readonly number[];
/** Everything anybody published. */
const seen: { readonly subject: string; readonly text: string }[] = [];
beforeAll(async () => {
  live = await liveCluster({ nodes: 2 });
  const ear = await live.connect('ear');
  ear.nats.subscribe('>', {
    callback: (_error, message) =>
      void seen.push({ subject: message.subject, text: Buffer.from(message.data.subarray(0, 64)).toString('latin1') }),
  });
  await ear.nats.flush();
  pids = live.nodes.map((node) => live.pid(node));
  expect(await live.client.insist('spawn', { type: 'counter', id: 'victim' })).toMatchObject({ ok: true });
  expect(await live.client.insist('agent.counter.victim', { type: 'add', by: 1 })).toMatchObject({ ok: true });
});
afterAll(() => live?.stop());

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const at = (name: string): string => `${live.prefix}.${name}`;
interface Refused {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly definite: boolean };
}
async function raw(subject: string, body: Uint8Array, fields: Readonly<Record<string, string>> = {}): Promise<Refused> {
  const headers = natsHeaders();
  for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  const answer = await live.client.nats.request(subject, body, { timeout: 8_000, headers });
  return (answer.data[0] === 0x7b ? JSON.parse(Buffer.from(answer.data).toString('utf8')) : decode(answer.data)) as Refused;
}
/** What comes back to one line of the protocol written by hand, until the server answers a ping or closes. */
async function spoken(subject: string, body: string): Promise<string> {
  const [host = '', port = ''] = (live.urls[0] ?? '').replace('nats://', '').split(':');
  const socket = connectTcp({ host, port: Number(port) });
  let heard = '';
  let closed = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  socket
    .on('error', () => undefined)
    .on('close', () => {
      closed = true;
    });
  socket.write('CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nSUB _INBOX.raw.* 1\r\n');
  socket.write(`PUB ${at(subject)} _INBOX.raw.1 ${body.length}\r\n${body}\r\nPING\r\n`);
  await eventually('the server has read it', 30_000, () => closed || heard.includes('PONG'));
  // A node answers within this, if one heard it.
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  return heard;
}
/** Nothing began, nothing ended, nothing remembers. */
async function unharmed(): Promise<void> {
  expect(live.nodes.map((node) => live.pid(node))).toEqual(pids);
  expect(pids.every(alive)).toBe(true);
  expect(await live.client.insist('agent.counter.victim', { type: 'get' })).toEqual({ ok: true, reply: { value: 1 } });
}

const subjects = ['spawn', 'agent.counter.victim', 'agents', 'ctl', 'ctl.n1', 'ctl.n1.launcher'] as const;

test('B2: whatever body arrives on a public subject, the answer is a typed, definite error, and the node stays as it was', async () => {
  const before = await Promise.all(pids.map(memoryOf));
  const codes: Record<string, number> = {};
  const wrong: string[] = [];
  for (const subject of subjects) {
    for (const [name, body] of Object.entries(HOSTILE_BODIES)) {
      const answer = await raw(at(subject), body).catch(
        (error: unknown): Refused => ({ ok: true, error: { code: String(error), message: '', definite: false } }),
      );
      const { code = '', definite = false } = answer.error ?? {};
      if (answer.ok || !definite || code === 'internal' || !(code in ERRORS))
        wrong.push(`${name} on ${subject}: ${JSON.stringify(answer)}`);
      codes[code] = (codes[code] ?? 0) + 1;
    }
  }
  expect(wrong).toEqual([]);
  const after = await Promise.all(pids.map(memoryOf));
  const grown = Math.max(...after.map((bytes, index) => bytes - (before[index] ?? 0)));
  report(
    `${subjects.length * Object.keys(HOSTILE_BODIES).length} hostile bodies: ${JSON.stringify(codes)}; memory of a node grew by ${Math.round(grown / 1e6)} MB`,
  );
  expect(grown).toBeLessThan(200e6);
  expect((await live.client.list()).map((row) => row.id)).toEqual(['victim']);
  await unharmed();
});

test('B2: fields of spawn, agents and ctl that do not fit are refused one by one, and create nothing', async () => {
  const spawn = (more: object) => ['spawn', { type: 'counter', id: 'never', ...more }] as const;
  const refused: readonly (readonly [string, object])[] = [
    spawn({ type: 'no-such-type' }),
    spawn({ type: 'co.unter' }),
    spawn({ type: '*' }),
    spawn({ type: 'constructor' }),
    spawn({ id: '' }),
    spawn({ id: 7 }),
    spawn({ id: 'x'.repeat(10_000) }),
    spawn({ id: '\ud800' }),
    spawn({ spawnId: 'x'.repeat(129) }),
    spawn({ spawnId: {} }),
    spawn({ config: { by: 1 } }),
    spawn({ config: 'x'.repeat(20_000) }),
    spawn({ restart: 'sometimes' }),
    spawn({ placement: { node: 'n 1' } }),
    spawn({ placement: { node: 'n9' } }),
    spawn({ placement: { strategy: 'anywhere' } }),
    spawn({ placement: { labels: { zone: 'moon' } } }),
    spawn({ placement: { labels: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`l${n}`, 'x'])) } }),
    spawn({ placement: [] }),
    spawn({ version: 3 }),
    ['agents', { type: 'list', limit: 0 }],
    ['agents', { type: 'list', limit: 1e9 }],
    ['agents', { type: 'list', agent: {} }],
    ['agents', { type: 'describe', agent: 'nothing' }],
    ['agents', { type: 'describe', agent: '>' }],
    ['agents', { type: 'stop', agent: 'counter', id: 'nobody' }],
    ['agents', { type: 'stop', agent: 'counter' }],
    ['ctl', { type: 'stop' }],
    ['ctl', { type: 'tree' }],
    ['ctl.n1', { type: 'kill' }],
    ['ctl.n1', { type: 'stop', now: true }],
    ['ctl.n1.launcher', { type: 'stop' }],
    ['ctl.n1.launcher', { type: 'kill', now: true }],
    ['ctl.n1.launcher', { type: 'pause', forMs: 1e9 }],
    ['ctl.n1.launcher', { type: 'resume', now: true }],
    ['agent.counter.nobody', { type: 'get' }],
    ['agent.nothing.nobody', { type: 'get' }],
    ['agent.counter.victim', { type: 'add', by: 1.5 }],
    ['agent.counter.victim', { type: 'add', by: Number.MAX_SAFE_INTEGER + 2 }],
    ['agent.counter.victim', { type: 'add', by: 1, more: 1 }],
  ];
  const wrong: string[] = [];
  for (const [subject, body] of refused) {
    const answer = await raw(at(subject), utf8(JSON.stringify(body)));
    if (answer.ok || answer.error?.definite !== true || answer.error.code === 'internal')
      wrong.push(`${JSON.stringify(body).slice(0, 100)} on ${subject}: ${JSON.stringify(answer)}`);
  }
  expect(wrong).toEqual([]);
  expect((await live.client.list()).map((row) => row.id)).toEqual(['victim']);
  await unharmed();
});

test('B2: headers that do not fit are refused, and the request is not carried out', async () => {
  const add = utf8('{"type":"add","by":1}');
  const refused: readonly (readonly [string, string])[] = [
    ['Nexa-Timeout-Ms', '-1'],
    ['Nexa-Timeout-Ms', '0'],
    ['Nexa-Timeout-Ms', '1e99'],
    ['Nexa-Timeout-Ms', 'soon'],
    ['Nexa-Timeout-Ms', '999999999'],
    ['Nexa-Request-Id', 'x'.repeat(10_000)],
    ['Nexa-Request-Id', 'ä'],
    ['Nexa-Request-Id', ' '],
  ];
  for (const [name, value] of refused) {
    expect(await raw(at('agent.counter.victim'), add, { [name]: value }), `${name}: ${value.slice(0, 20)}`).toMatchObject({
      ok: false,
      error: { code: 'invalid-message', definite: true },
    });
  }
  await unharmed();
});

test('B2: ids of any text come back exactly as given and name different agents, however they look', async () => {
  const ids = [
    'a.b',
    '*',
    '>',
    'a b',
    'a\r\nPUB x 0\r\n',
    '\u0000',
    '../../etc',
    '__proto__',
    'constructor',
    'café',
    'cafe\u0301',
    'K',
    '\u212a',
    '💥',
    '=',
    '=YQ',
    'x'.repeat(128),
  ];
  for (const [index, id] of ids.entries()) {
    expect(await live.client.insist('spawn', { type: 'counter', id })).toMatchObject({ ok: true, agent: { id } });
    expect(await live.client.insist(`agent.counter.${encodeId(id)}`, { type: 'add', by: index + 1 })).toEqual({
      ok: true,
      reply: { value: index + 1 },
    });
  }
  for (const [index, id] of ids.entries())
    expect(await live.client.ask(`agent.counter.${encodeId(id)}`, { type: 'get' })).toEqual({ ok: true, reply: { value: index + 1 } });
  // Whoever is asked may hear of the last one later.
  await expect
    .poll(async () => (await live.client.list()).map((row) => row.id).sort(), { timeout: 20_000 })
    .toEqual([...ids, 'victim'].sort());
  for (const id of ids) expect(await live.client.ask('agents', { type: 'stop', agent: 'counter', id })).toEqual({ ok: true });
  await unharmed();
});

test('B2: subjects that name no agent are refused, also when they are written past every client library', async () => {
  for (const name of ['=', '=YQ', '=%%%', '=AAAA=', `${'x'.repeat(300)}`, 'ä'])
    expect(await raw(at(`agent.counter.${name}`), utf8('{"type":"get"}')), name).toMatchObject({ ok: false, error: { definite: true } });
  for (const id of ['*', '>', 'victim.more', '.', 'a\tb']) {
    const heard = await spoken(`agent.counter.${id}`, '{"type":"add","by":100}');
    expect(heard, id).not.toContain('"ok":true');
  }
  await unharmed();
});

test('B2: a reply subject in the space of the server or of a cluster gets no answer, and what came with it is not carried out', async () => {
  const from = seen.length;
  const { nats } = live.client;
  const streams = async (): Promise<number> => {
    const answer = await nats.request('$JS.API.INFO', undefined, { timeout: 5_000 });
    return (JSON.parse(Buffer.from(answer.data).toString('utf8')) as { readonly streams: number }).streams;
  };
  const before = await streams();
  const replies = [
    `$JS.API.STREAM.DELETE.KV_nexa_${live.cluster}_AGENTS`,
    `$JS.API.STREAM.PURGE.KV_nexa_${live.cluster}_STATE`,
    `$KV.nexa_${live.cluster}_META.formed`,
    '$SYS.REQ.SERVER.PING',
    'nexa',
    at('spawn'),
    at('agent.counter.victim'),
    at('ctl.n1'),
    at('beat'),
    at('event.member'),
  ];
  for (const reply of replies) {
    nats.publish(at('agent.counter.victim'), utf8('{"type":"add","by":100}'), { reply });
    nats.publish(at('spawn'), utf8('{"type":"counter","id":"never"}'), { reply });
    nats.publish(at('agents'), utf8('{"type":"stop","agent":"counter","id":"victim"}'), { reply });
    nats.publish(at('ctl.n1'), utf8('{"type":"stop"}'), { reply });
    nats.publish(at('ctl.n1.launcher'), utf8('{"type":"kill"}'), { reply });
  }
  await nats.flush();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await unharmed();
  expect(await streams()).toBe(before);
  const answers = seen.slice(from).filter(({ subject, text }) => !subject.startsWith('_INBOX.') && text.startsWith('{"ok"'));
  expect(answers).toEqual([]);
  expect((await live.client.list()).some((row) => row.id === 'never')).toBe(false);
});

test('B2: garbage in the inboxes, beats and hints of the nodes harms none of them', async () => {
  const random = seededRandom(7);
  const { nats } = live.client;
  const inner = [...new Set(seen.map(({ subject }) => subject))].filter((subject) => /\.v1\.(node|reply|beat|event)\b/.test(subject));
  expect(inner.length).toBeGreaterThan(2);
  const before = await Promise.all(pids.map(memoryOf));
  const samples = Object.values(HOSTILE_BODIES).filter((body) => body.length < 10_000);
  let sent = 0;
  for (const subject of [...inner, ...subjects.map(at)]) {
    for (const body of Object.values(HOSTILE_BODIES)) nats.publish(subject, body);
    for (let n = 0; n < 300; n++) {
      const body = Uint8Array.from(samples[Math.floor(random.next() * samples.length)] ?? []);
      const cut = body.subarray(0, Math.floor(random.next() * (body.length + 1)));
      for (let flips = 0; flips < 3 && cut.length > 0; flips++)
        cut[Math.floor(random.next() * cut.length)] = Math.floor(random.next() * 256);
      // What may by chance be a whole command has another addressee.
      nats.publish(subject.endsWith('victim') ? at('agent.counter.nobody') : subject, cut);
      sent++;
    }
    await nats.flush();
  }
  for (const node of live.nodes)
    await eventually('the nodes have read it all', 60_000, async () => (await live.client.ask(`ctl.${node}`, { type: 'status' })).ok);
  const grown = Math.max(...(await Promise.all(pids.map(memoryOf))).map((bytes, index) => bytes - (before[index] ?? 0)));
  report(
    `${sent} random frames to ${inner.length} inner and ${subjects.length} public subjects; memory of a node grew by ${Math.round(grown / 1e6)} MB`,
  );
  expect(grown).toBeLessThan(200e6);
  await unharmed();
});

test('B2: in all of this no node published to a subject that is not its own business', () => {
  const { cluster, prefix } = live;
  const own = [
    `${prefix}.`,
    '_INBOX.',
    `$KV.nexa_${cluster}_`,
    '$JS.API.',
    '$JS.ACK.',
    '$JS.EVENT.',
    '$JS.FC.',
    '$JSC.',
    // Said by this test itself.
    '$SYS.REQ.SERVER.PING',
  ];
  expect([...new Set(seen.map(({ subject }) => subject))].filter((subject) => !own.some((start) => subject.startsWith(start)))).toEqual([]);
  expect(seen.length).toBeGreaterThan(1_000);
});
