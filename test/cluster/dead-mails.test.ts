import { expect, test } from 'vitest';
import { decodeDead } from '../../src/durable/dead-mail.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { ledger, read, tell, write } from '../simulation/ledgers.ts';
import { codec } from './stores.ts';

type Row = { readonly number: number; readonly [field: string]: unknown };

async function world(more: object = {}) {
  const { agent, tried } = ledger('ledger', { limits: { tries: 1 } });
  const { agent: other } = ledger('other', { limits: { tries: 1 } });
  const cluster = await calmCluster({ agents: [agent, other], ...more });
  await cluster.spawn('ledger', 'a', 'n1');
  await cluster.spawn('other', 'a', 'n2');
  const { world } = cluster;
  const outside = async (body: object): Promise<Record<string, unknown> | null> =>
    (await world.until(world.outside.request(world.subjects.agents, body, { timeoutMs: 5_000 }))).reply as Record<string, unknown> | null;
  const list = async (body: object = {}) =>
    (await outside({ type: 'dead-list', ...body })) as { readonly dead: readonly Row[]; readonly more: boolean };
  const die = async (agent: string, entry: string) => {
    await tell(cluster, 'n3', agent, { type: 'fail', entry }, { messageId: entry });
    await world.run(300);
  };
  return {
    ...cluster,
    cluster,
    tried,
    outside,
    list,
    die,
    dead: world.network.connect('looker').stores.stream(world.subjects.store('DEAD')),
  };
}

test('what died is listed in its order, by page, type and agent, and shown with its message', async () => {
  await using it = await world();
  for (const [agent, entry] of [
    ['ledger/a', 'p1'],
    ['other/a', 'p2'],
    ['ledger/a', 'p3'],
  ] as const)
    await it.die(agent, entry);
  const all = await it.list();
  expect(all.dead.map(({ messageId }) => messageId)).toEqual(['p1', 'p2', 'p3']);
  expect(await it.list({ limit: 2 })).toEqual({ dead: all.dead.slice(0, 2), more: true });
  expect(await it.list({ after: all.dead[1]?.number, limit: 2 })).toEqual({ dead: all.dead.slice(2), more: false });
  expect((await it.list({ agent: 'ledger' })).dead).toHaveLength(2);
  expect((await it.list({ agent: 'other', id: 'a' })).dead).toHaveLength(1);
  expect((await it.list({ agent: 'other', id: 'b' })).dead).toEqual([]);
  expect(await it.outside({ type: 'dead-show', number: all.dead[0]?.number })).toMatchObject({
    ...{ type: 'ledger', id: 'a', messageId: 'p1', command: 'fail', tries: 1, message: { type: 'fail', entry: 'p1' } },
    error: { code: 'crashed', message: 'p1 cannot be written' },
  });
});

test('an edited message is replayed once, however often that is asked, and is gone from the dead', async () => {
  await using it = await world();
  await it.die('ledger/a', 'p1');
  const [first] = (await it.list()).dead;
  const edited = await it.outside({ type: 'dead-edit', number: first?.number, message: { type: 'write', entry: 'mended' } });
  const [now] = (await it.list()).dead;
  expect(now).toMatchObject({ number: edited?.number, messageId: 'p1', command: 'write', sequence: first?.sequence });
  const kept = (await it.world.until(it.dead.next(it.world.subjects.recordAll('dead'), { fromSequence: 1, timeoutMs: 1_000 }))) as {
    readonly record: Uint8Array;
  };
  expect(await it.outside({ type: 'dead-replay', number: now?.number })).toEqual({ type: 'ledger', id: 'a' });
  await it.world.run(500);
  expect(await read(it.cluster, 'n3', 'ledger/a')).toEqual(['mended']);
  expect((await it.list()).dead).toEqual([]);
  // As if its deletion had been lost: it is there again, and long after the stream has forgotten its id.
  await it.world.run(150_000);
  const { type, id } = decodeDead(kept.record, codec, {});
  const again = await it.world.until(
    it.dead.append(it.world.subjects.record('dead', type, id), kept.record, { recordId: 'again', timeoutMs: 1_000 }),
  );
  await it.outside({ type: 'dead-replay', number: (again as { readonly revision: number }).revision });
  await it.world.run(500);
  expect(await read(it.cluster, 'n3', 'ledger/a')).toEqual(['mended']);
});

test('an edit is checked as a message from anywhere, by a node that runs the type', async () => {
  await using it = await world({
    definitionsOf: (name: string) => (name === 'n3' ? [] : [ledger('ledger', { limits: { tries: 1 } }).agent, ledger('other').agent]),
  });
  await tell(it.cluster, 'n2', 'ledger/a', { type: 'fail', entry: 'p1' });
  await it.world.run(300);
  const [first] = (await it.list()).dead;
  const { dead } = it.member('n3').cluster.mail;
  const edit = (message: unknown) => it.world.until(dead.edit(first?.number ?? 0, message, { timeoutMs: 5_000 }));
  await expect(edit({ type: 'write', entry: 7 })).rejects.toMatchObject({ code: 'invalid-message' });
  await expect(edit({ type: 'erase' })).rejects.toMatchObject({ code: 'unknown-command' });
  expect(await edit({ type: 'write', entry: 'fits' })).toBeGreaterThan(first?.number ?? 0);
});

test('what is not there, and what is no question, is answered typed', async () => {
  await using it = await world();
  for (const type of ['dead-show', 'dead-replay', 'dead-discard'])
    await expect(it.outside({ type, number: 17 })).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
  for (const body of [
    { type: 'dead-show' },
    { type: 'dead-show', number: 0 },
    { type: 'dead-show', number: '1' },
    { type: 'dead-edit', number: 1 },
    { type: 'dead-edit', number: 1, message: 'x' },
    { type: 'dead-list', limit: 1_001 },
    { type: 'dead-list', id: 'a' },
    { type: 'dead-list', agent: 'ledger', other: 1 },
  ])
    await expect(it.outside(body), JSON.stringify(body)).rejects.toMatchObject({ code: 'invalid-message' });
});

test('rubbish in a mailbox is put aside at once, and can be seen, edited and discarded; rubbish among the dead is seen and discarded', async () => {
  await using it = await world();
  const { stores } = it.world.network.connect('looker');
  const mailbox = stores.stream(it.world.subjects.store('MAILBOX'));
  const put = (bytes: string, recordId: string) =>
    it.world.until(mailbox.append(it.world.subjects.record('mailbox', 'ledger', 'a'), Buffer.from(bytes), { recordId, timeoutMs: 1_000 }));
  await put('{"type":"write"}', 'r1');
  await put('', 'r2');
  await put('x'.repeat(900_000), 'r3');
  await write(it.cluster, 'n2', 'ledger/a', 'one');
  await it.world.run(2_000);
  expect(await read(it.cluster, 'n2', 'ledger/a')).toEqual(['one']);
  const { dead } = await it.list();
  expect(dead.map(({ tries, messageId }) => [tries, messageId])).toEqual(Array(3).fill([0, null]));
  await expect(it.outside({ type: 'dead-replay', number: dead[0]?.number })).rejects.toMatchObject({ code: 'corrupt-record' });
  const mended = await it.outside({ type: 'dead-edit', number: dead[0]?.number, message: { type: 'write', entry: 'two' } });
  await it.outside({ type: 'dead-replay', number: mended?.number });
  await it.world.run(500);
  expect(await read(it.cluster, 'n2', 'ledger/a')).toEqual(['one', 'two']);
  await it.world.until(
    it.dead.append(it.world.subjects.record('dead', 'ledger', 'a'), Buffer.from('rubbish'), { recordId: 'x', timeoutMs: 1_000 }),
  );
  const rest = (await it.list()).dead;
  expect(rest.at(-1)).toMatchObject({ type: null, error: { code: 'corrupt-record' } });
  for (const { number } of rest) expect(await it.outside({ type: 'dead-discard', number })).toBeNull();
  expect((await it.list()).dead).toEqual([]);
});
