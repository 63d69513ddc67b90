import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeMember, encodeMember, type MemberRecord } from '../../src/cluster/member.ts';
import { moved } from '../../src/cluster/move.ts';
import { type AgentRecord, decodeAgent, encodeAgent } from '../../src/cluster/place.ts';
import { decodeService, encodeService, type ServiceRecord } from '../../src/cluster/service.ts';

const codec = createCodec();
const recorded = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(readFileSync(new URL(`../fixtures/records/${name}.hex`, import.meta.url), 'utf8').trim(), 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const agent: AgentRecord = {
  ...({ type: 'counter', id: 'alice', spawnId: 's1', nonce: 'x', config: { step: 2 }, restart: 'permanent' } as const),
  ...({ placement: { labels: { disk: 'ssd' } }, desired: 'running', owner: { node: 'n2', incarnation: 8 }, prefer: undefined } as const),
  ...({ version: 1, why: 'node n1 is drained', cause: 'drain' } as const),
  moves: [
    { node: 'n1', incarnation: 7, cause: 'spawn', why: 'spawned', atMs: 1_700_000_000_000, epoch: 41 },
    { node: 'n2', incarnation: 8, cause: 'drain', why: 'node n1 is drained', atMs: 1_700_000_001_000, epoch: undefined },
  ],
};
const member: MemberRecord = {
  ...({ incarnation: 7, state: 'gone', session: 's', cordoned: true, labels: { disk: 'ssd' }, capacity: 2 } as const),
  ...({ version: '0.1.0', wireVersions: [1], types: { counter: 1 }, cause: 'left' } as const),
};
const service: ServiceRecord = {
  ...({ key: 'workers', instance: 'n1-7-42', metadata: { zone: 'x' }, nonce: 'x', registeredAtMs: 1_700_000_000_000 } as const),
  ...({ address: { kind: 'incarnation', node: 'n1', nodeIncarnation: 7, path: 'user/w', uid: 42 }, heartbeatMs: undefined } as const),
};
const outsider: ServiceRecord = { ...service, key: '$clients', instance: 'c1', address: undefined, heartbeatMs: 5_000 };

test('records are written as they were recorded, and read back', () => {
  expect(hex(encodeAgent(agent, codec))).toBe(hex(recorded('agent-1.1')));
  expect(decodeAgent(recorded('agent-1.1'), codec, 'counter.alice')).toEqual(agent);
  expect(hex(encodeMember(member, codec))).toBe(hex(recorded('member-1.1')));
  expect(decodeMember(recorded('member-1.1'), codec, 'n1')).toEqual(member);
  expect(hex(encodeService(service, codec))).toBe(hex(recorded('service-1.0')));
  expect(decodeService(recorded('service-1.0'), codec, 'workers.n1-7-42')).toEqual(service);
  expect(hex(encodeService(outsider, codec))).toBe(hex(recorded('service-1.0-outside')));
  expect(decodeService(recorded('service-1.0-outside'), codec, '=JGNsaWVudHM.c1')).toEqual(outsider);
});

test('the record of a service under another key, of another kind or of a later layout is none', () => {
  const fields = codec.decode(encodeService(service, codec)) as unknown[];
  const read = (at: string, change: readonly [number, unknown] = [99, undefined]) => {
    const changed = [...fields];
    if (change[0] < changed.length) changed[change[0]] = change[1];
    return () => decodeService(codec.encode(changed), codec, at);
  };
  expect(read('workers.n1-7-42')()).toEqual(service);
  expect(read('workers.other')).toThrow(expect.objectContaining({ code: 'corrupt-record' }));
  for (const change of [
    [1, 7],
    [3, 'nowhere'],
    [4, []],
    [4, null],
    [5, 1],
    [6, 'x'],
    [7, -1],
    [2, ''],
  ] as const)
    expect(read('workers.n1-7-42', change), String(change)).toThrow(expect.objectContaining({ code: 'corrupt-record' }));
  expect(read('workers.n1-7-42', [0, 2])).toThrow(expect.objectContaining({ code: 'unknown-version' }));
});

test('records from before there was a history are read, with an empty one', () => {
  expect(decodeAgent(recorded('agent-1.0'), codec, 'counter.alice')).toEqual({ ...agent, cause: 'reclaimed', moves: [] });
  expect(decodeMember(recorded('member-1.0'), codec, 'n1')).toEqual({ ...member, cause: undefined });
});

test('what a later node adds at the end of a record is left out', () => {
  const later = [...(codec.decode(encodeAgent(agent, codec)) as unknown[]), 'more', { of: 'it' }];
  expect(decodeAgent(codec.encode(later), codec, 'counter.alice')).toEqual(agent);
  const newer = [...(codec.decode(encodeService(service, codec)) as unknown[]), 'more'];
  expect(decodeService(codec.encode(newer), codec, 'workers.n1-7-42')).toEqual(service);
});

test('a history keeps sixteen stretches, ends the last with its epoch, and a claim of the same incarnation goes on with its own', () => {
  let moves = moved([], undefined, { node: 'n0', incarnation: 1, cause: 'spawn', why: 'spawned', atMs: 0 });
  expect(moved(moves, 5, { node: 'n0', incarnation: 1, cause: 'reclaimed', why: 'again', atMs: 1 })).toBe(moves);
  for (let index = 1; index <= 20; index++)
    moves = moved(moves, index * 10, { node: `n${index}`, incarnation: 1, cause: 'drain', why: 'drained', atMs: index });
  expect(moves.at(-2)).toMatchObject({ node: 'n19', epoch: 200 });
  const kept = decodeAgent(encodeAgent({ ...agent, moves }, codec), codec, 'counter.alice').moves;
  expect([kept.length, kept[0]?.node, kept.at(-1)?.node]).toEqual([16, 'n5', 'n20']);
});

test('a history that makes no sense does not cost the record', () => {
  const fields = codec.decode(encodeAgent(agent, codec)) as unknown[];
  fields[14] = ['x', [1, 2], { node: 3 }];
  fields[13] = 'by magic';
  expect(decodeAgent(codec.encode(fields), codec, 'counter.alice')).toMatchObject({ id: 'alice', cause: 'reclaimed' });
});
