import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { type Entry, type FrameOf, type FrameWriter, frameOf, type Pulse } from '../../src/cluster/frame.ts';
import type { ActorAddress, Peer } from '../../src/cluster/peer.ts';
import { createWire } from '../../src/cluster/wire.ts';
import { NexaError } from '../../src/errors.ts';

const n1: Peer = { node: 'n1', incarnation: 1_700_000_000_001 };
const n2: Peer = { node: 'n2', incarnation: 1_700_000_000_002 };
const writer = (version: number): FrameWriter => createWire(n1, [version]).speaks([version]) as FrameWriter;
const reader = createWire(n2, [2, 1]);
const codec = createCodec();
const actor = (peer: Peer, path: string, uid: number): ActorAddress => ({
  kind: 'incarnation',
  node: peer.node,
  nodeIncarnation: peer.incarnation,
  path,
  uid,
});
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof NexaError ? error.code : String(error);
  }
  return 'nothing';
};

const full = {
  to: { kind: 'agent', type: 'counter', id: 'a b' },
  message: undefined,
  replyTo: actor(n1, '?', 77),
  from: actor(n1, 'gateway/s-1', 12),
  epoch: 4_711,
  chain: ['n1.1/12', 'n1.1/13'],
  requestId: 'r-1',
  budgetMs: 4_999.5,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
} as const;
const bare = { to: actor(n2, 'system/echo', 0), message: undefined } as const;
const answer = { to: actor(n2, '?', 5), message: undefined, from: { kind: 'agent', type: 'counter', id: 'x' } } as const;
const body = codec.encode({ type: 'add', by: 1 });

const entries: readonly Entry[] = [{ envelope: full, body }];
const pulse: Pulse = {
  ...{ sent: 10, known: 8, statement: { taken: 7, window: undefined } },
  ...{ watches: { count: 2, hash: 4_000_000_000 }, cut: [], held: [], heeded: undefined },
};
const taken = (count: number) => ({ taken: count, window: undefined });
const wire1 = writer(1);
const wire2 = writer(2);
const refusal = codec.encode({ ok: false, error: new NexaError('mailbox-full', 'full') });
const part = wire2.part as NonNullable<FrameWriter['part']>;
const stated = { taken: 9, window: { messages: 4_096, bytes: 131_072 } };

const inAll = (wire: FrameWriter): Readonly<Record<string, () => Uint8Array>> => ({
  watch: () => wire.watch('replace', [{ target: actor(n2, 'a/b', 3), watcher: actor(n1, 'w', 9) }]),
  terminated: () => wire.terminated([{ target: actor(n1, 'a', 3), watcher: actor(n2, 'w', 9), reason: 'failed' }]),
  resend: () => wire.resend(),
  beat: () => wire.beat({ ...n1, suspended: false, admits: true, agents: 12, lagMs: 3.25, pid: 4_242, load: 14.5 }),
});
/** What each version looks like for ever: a change of these bytes is a new version. */
const frames: Readonly<Record<string, () => Uint8Array>> = {
  'v1-envelope-full': () => frameOf(wire1, n2, 1, taken(0), entries),
  'v1-envelope-bare': () => frameOf(wire1, n2, 4_294_967_296, taken(9), [{ envelope: bare, body }]),
  'v1-envelope-answer': () => frameOf(wire1, n2, 3, taken(2), [{ envelope: answer, body: refusal }]),
  'v1-pulse': () => wire1.pulse(pulse),
  'v1-pulse-without-watches': () => wire1.pulse({ ...pulse, watches: undefined }),
  'v2-messages': () =>
    frameOf(wire2, n2, 4_294_967_296, stated, [...entries, { envelope: bare, body }, { envelope: answer, body: refusal }]),
  'v2-messages-one': () => frameOf(wire2, n2, 1, taken(0), [{ envelope: bare, body }]),
  'v2-part': () => part(n2, 12, stated, { envelope: full, body }, { number: 3, index: 1, count: 4, totalBytes: 2_000_000 }),
  'v2-pulse': () =>
    wire2.pulse({
      ...{ ...pulse, statement: stated, cut: [{ number: 3, sent: 2 }] },
      held: [actor(n1, 'a/b', 3), { kind: 'agent', type: 'counter', id: 'a b' }],
      heeded: 3,
    }),
  'v2-pulse-without-watches': () => wire2.pulse({ ...pulse, watches: undefined }),
  ...Object.fromEntries(
    [1, 2].flatMap((version) => Object.entries(inAll(writer(version))).map(([name, write]) => [`v${version}-${name}`, write])),
  ),
};

describe('recorded frames', () => {
  test.each(Object.keys(frames))('%s is written as it was recorded and still read', (name) => {
    const recorded = readFileSync(new URL(`../fixtures/wire/${name}.hex`, import.meta.url), 'utf8').trim();
    expect(Buffer.from((frames[name] as () => Uint8Array)()).toString('hex')).toBe(recorded);
    expect(reader.read(Uint8Array.from(Buffer.from(recorded, 'hex')))).toMatchObject({ sender: n1, version: Number(name[1]) });
  });
});

test('a beat from before nodes said what their agents cost counts one for each', () => {
  const recorded = readFileSync(new URL('../fixtures/wire/v1-beat-without-load.hex', import.meta.url), 'utf8').trim();
  expect(reader.read(Uint8Array.from(Buffer.from(recorded, 'hex')))).toMatchObject({ beat: { agents: 12, load: 12 } });
});

describe('two nodes', () => {
  test('speak the highest version that both have, the oldest as long as one does not know the other, and none without one in common', () => {
    const speaks = (own: readonly number[], theirs: readonly number[] | undefined) => createWire(n1, own).speaks(theirs)?.version;
    expect([speaks([2, 1], [2, 1]), speaks([1, 2], [1]), speaks([1], [1, 2]), speaks([2], [1]), speaks([2, 1], [3, 2])]).toEqual([
      2,
      1,
      1,
      undefined,
      2,
    ]);
    expect(speaks([2, 1], undefined)).toBe(1);
  });

  test('beat in the oldest version, which everybody reads', () => {
    const beat = createWire(n1, [2, 1]).beat({ ...n1, suspended: false, admits: true, agents: 1, lagMs: 0, pid: 1, load: 1 });
    expect(createWire(n2, [1]).read(beat).frame).toBe('beat');
  });

  test('refuse by name a version that one of them does not advertise', () => {
    expect(codeOf(() => createWire(n2, [1]).read(wire2.resend()))).toBe('unknown-version');
    expect(codeOf(() => createWire(n2, [2]).read(wire1.resend()))).toBe('unknown-version');
    expect(codeOf(() => createWire(n2, [3]))).toBe('unknown-version');
    expect(codeOf(() => createWire(n2, []))).toBe('unknown-version');
  });
});

describe.each([wire1, wire2])('a frame of version $version', (wire) => {
  const read = (frame: Uint8Array) => reader.read(frame);

  test('carries every field of an envelope, and the body as it was', () => {
    const frame = read(frameOf(wire, n2, 7, taken(6), entries)) as FrameOf<'messages'>;
    expect(frame).toMatchObject({ frame: 'messages', sender: n1, first: 7, statement: { taken: 6 }, entries: [{ envelope: full }] });
    expect(codec.decode(frame.entries[0]?.body as Uint8Array)).toEqual({ type: 'add', by: 1 });
  });

  test('leaves out what is not there', () => {
    const frame = read(frameOf(wire, n2, 1, taken(0), [{ envelope: bare, body }])) as FrameOf<'messages'>;
    expect(JSON.parse(JSON.stringify(frame.entries[0]?.envelope))).toEqual({ to: bare.to });
  });

  test('carries any address there and back', () => {
    const path = fc.stringMatching(/^[A-Za-z0-9_.~$=+!*'(),:@-]{1,20}(\/[A-Za-z0-9_-]{1,20}){0,3}$/);
    const anyActor = (peer: fc.Arbitrary<Peer>) =>
      fc.tuple(peer, path, fc.maxSafeInteger().map(Math.abs)).map(([at, ...rest]) => actor(at, ...rest));
    const agent: fc.Arbitrary<Address> = fc
      .tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/), fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }))
      .map(([type, id]) => ({ kind: 'agent', type, id }));
    fc.assert(
      fc.property(
        fc.oneof(anyActor(fc.constant(n2)), agent),
        fc.oneof(anyActor(fc.constantFrom(n1, n2, { node: 'n3', incarnation: 3 })), agent),
        anyActor(fc.constant(n1)),
        (to, replyTo, from) => {
          const frame = read(frameOf(wire, n2, 1, taken(0), [{ envelope: { to, replyTo, from, message: undefined }, body }]));
          expect(frame).toMatchObject({ entries: [{ envelope: { to, replyTo, from } }] });
        },
      ),
    );
  });

  test('watches, ends, pulses and beats come back', () => {
    const { version } = wire;
    const pair = { target: actor(n2, 'a/b', 3), watcher: actor(n1, 'w', 9) };
    expect(read(wire.watch('remove', [pair]))).toEqual({ frame: 'watch', version, sender: n1, mode: 'remove', pairs: [pair] });
    const ended = { target: actor(n1, 'a', 3), watcher: actor(n2, 'w', 9), reason: 'unknown' } as const;
    expect(read(wire.terminated([ended]))).toEqual({ frame: 'terminated', version, sender: n1, ends: [ended] });
    expect(read(wire.pulse({ ...pulse, watches: undefined }))).toEqual({
      ...pulse,
      watches: undefined,
      frame: 'pulse',
      version,
      sender: n1,
    });
    const beat = { ...n1, suspended: true, admits: false, agents: 3, lagMs: 0.5, pid: 1, load: 3.5 };
    expect(read(wire.beat(beat))).toEqual({ frame: 'beat', version, sender: n1, beat });
  });
});

describe('wire 2', () => {
  test('carries many messages in one frame, with the window of the receiver', () => {
    const many = Array.from({ length: 256 }, (_, index) => ({ envelope: { ...bare, requestId: `r${index}` }, body: codec.encode(index) }));
    const frame = reader.read(frameOf(wire2, n2, 100, stated, many)) as FrameOf<'messages'>;
    expect(frame).toMatchObject({ first: 100, statement: stated });
    expect(frame.entries.map((entry) => [entry.envelope.requestId, codec.decode(entry.body)])).toEqual(
      many.map((_, index) => [`r${index}`, index]),
    );
  });

  test('what its receiver would refuse is refused as it is added, and takes none of the others along', () => {
    const batch = wire2.messages(n2);
    batch.add({ envelope: bare, body });
    const { bytes } = batch;
    const unfit = [
      { ...full, traceparent: 'x'.repeat(129) },
      { ...full, requestId: 'x\ud800' },
      { ...full, chain: new Array(17).fill('n1.1/12') },
      { ...full, to: { kind: 'agent', type: 'counter', id: '\udc00' } },
    ] as const;
    for (const envelope of unfit) expect(codeOf(() => batch.add({ envelope, body }))).not.toBe('nothing');
    expect(batch.bytes).toBe(bytes);
    batch.add({ envelope: answer, body: refusal });
    const frame = reader.read(batch.frame(5, stated)) as FrameOf<'messages'>;
    expect(frame.entries.map(({ envelope }) => envelope.to)).toEqual([bare.to, answer.to]);
    batch.add({ envelope: bare, body });
    expect(reader.read(batch.frame(7, stated))).toMatchObject({ first: 7, entries: [{ body }] });
  });

  test('carries a part of a message with its whole envelope, and who has no room', () => {
    const cut = { number: 3, index: 1, count: 4, totalBytes: 2_000_000 };
    const frame = reader.read(part(n2, 12, stated, { envelope: full, body }, cut));
    expect(frame).toMatchObject({ frame: 'part', sequence: 12, statement: stated, cut, entry: { envelope: full, body } });
    const held = [actor(n1, 'a/b', 3), { kind: 'agent', type: 'counter', id: 'a b' }] as const;
    expect(reader.read(wire2.pulse({ ...pulse, held, heeded: 3, cut: [{ number: 3, sent: 2 }] }))).toMatchObject({
      held,
      heeded: 3,
      cut: [{ number: 3, sent: 2 }],
    });
  });
});

describe('a frame that cannot be read', () => {
  test('of another version is refused by name, whatever follows', () => {
    for (const payload of [
      Uint8Array.of(0x95, 3, 0, 1, 2, 3),
      Uint8Array.of(0xdc, 0, 5, 0x7f),
      Uint8Array.of(0x91, 0),
      Uint8Array.of(),
      Uint8Array.of(0x80),
      Uint8Array.of(0x92, 0xcc),
    ]) {
      expect(codeOf(() => reader.read(payload))).toBe('unknown-version');
    }
  });

  test('with anything of the wrong shape is invalid', () => {
    const head = [1, 0, 'n1', 1];
    const envelope = [...head, 1, 0, 'nexa:counter/x', null, null, null, null, null, null, null, body];
    const broken = (at: number, value: unknown) => codec.encode((envelope as unknown[]).with(at, value));
    expect(reader.read(codec.encode(envelope)).frame).toBe('messages');
    const cases: [number, unknown][] = [
      [1, 99], [1, 'x'], [1, '__proto__'], [2, 'n 1'], [2, 5], [3, 0], [3, -1], [3, 1.5], [3, 'x'], [4, 0], [4, -1], [5, 'x'], [6, null], [6, 'counter'], [6, ['a b', 1]], [6, ['a', -1]], [6, ['a', 1, 2]],
      [6, 1.5], [6, {}], [7, 'nexa:counter/='], [8, ['\r\n', 1]], [8, 'nexa://n2.1/a#1'], [9, -1], [9, 'x'], [10, 'x'], [10, new Array(17).fill('a')], [10, [1]], [11, 'x'.repeat(65)], [12, -1],
      [12, Number.NaN], [12, Number.POSITIVE_INFINITY], [13, 5], [13, 'x'.repeat(129)], [14, null], [14, 'text'],
    ]; // biome-ignore format: a table
    for (const [at, value] of cases)
      expect(
        codeOf(() => reader.read(broken(at, value))),
        `${at}: ${String(value)}`,
      ).toBe('invalid-message');
    for (const payload of [
      [1],
      [1, 0, 'n1'],
      [...head, 1, 0],
      [1, 2, 'n1', 1, 9, []],
      [1, 2, 'n1', 1, 0, {}],
      [1, 2, 'n1', 1, 0, [[1, 2]]],
      [1, 2, 'n1', 1, 0, [['a', 1, 'nexa:counter/x']]],
      [1, 3, 'n1', 1, [['a', 1, 3, 9]]],
      [1, 2, 'n1', 1, 0, [['a', 1, 'nexa://n3.1/w#1']]],
      [1, 3, 'n1', 1, [['a', 1, 'nexa://n3.1/w#1', 0]]],
      [2, 0, 'n1', 1, 1, 0, [], null, null, null, null, null, null, null, body],
      [2, 6, 'n1', 1, 1, 0, null, null, []],
      [2, 6, 'n1', 1, 1, 0, 5, null, [[body, 0]]],
      [2, 6, 'n1', 1, 1, 0, null, null, [[body]]],
      [2, 6, 'n1', 1, 1, 0, null, null, [['text', 0]]],
      [2, 6, 'n1', 1, 1, 0, null, null, [[body, 0, 'nexa://n3.1/x#1']]],
      [2, 6, 'n1', 1, 1, 0, null, null, new Array(257).fill([body, 0])],
      [2, 6, 'n1', 1, 0, 0, null, null, [[body, 0]]],
      [2, 7, 'n1', 1, 1, 0, null, null, [body, 0], 1, 4, 4, 9],
      [2, 7, 'n1', 1, 1, 0, null, null, [body, 0], 0, 0, 4, 9],
      [2, 7, 'n1', 1, 1, 0, null, null, [body, 0], 1, 0, 1_025, 9],
      [2, 7, 'n1', 1, 1, 0, null, null, [body, 0], 1, 0, 4, 0],
      [2, 1, 'n1', 1, 1, 0, 0, null, null, null, null, [], ['nexa://n3.1/x#1']],
      [2, 1, 'n1', 1, 1, 0, 0, null, null, null, null, [[1]], []],
      [2, 1, 'n1', 1, 1, 0, 0, null, null, null, null, new Array(65).fill([1, 1]), []],
      [2, 1, 'n1', 1, 1, 0, 0, null, null, null, null, [], new Array(257).fill(['a', 1])],
    ]) {
      expect(
        codeOf(() => reader.read(codec.encode(payload))),
        JSON.stringify(payload),
      ).toBe('invalid-message');
    }
  });

  test('whatever arrives is a frame or a typed refusal', () => {
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.tuple(fc.constantFrom(...Object.values(frames)), fc.nat(), fc.nat(255)).map(([write, at, byte]) => {
        const payload = write();
        payload[at % payload.length] = byte;
        return payload;
      }),
      fc.array(fc.anything({ maxDepth: 2 }), { maxLength: 16 }).map((fields) => {
        try {
          return codec.encode([fields.length % 2, ...fields].with(0, 1 + (fields.length % 2)));
        } catch {
          return Uint8Array.of();
        }
      }),
    );
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(['nothing', 'invalid-message', 'unknown-version']).toContain(codeOf(() => reader.read(payload)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('more watches than one frame may hold', () => {
    const pairs = new Array(1_001).fill({ target: actor(n2, 'a', 3), watcher: actor(n1, 'w', 9) });
    expect(codeOf(() => reader.read(wire1.watch('add', pairs)))).toBe('invalid-message');
  });
});
