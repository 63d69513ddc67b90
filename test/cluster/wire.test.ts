import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import type { ActorAddress, Peer } from '../../src/cluster/peer.ts';
import { createWire, type Frame } from '../../src/cluster/wire.ts';
import { NexaError } from '../../src/errors.ts';

const n1: Peer = { node: 'n1', incarnation: 1_700_000_000_001 };
const n2: Peer = { node: 'n2', incarnation: 1_700_000_000_002 };
const wire1 = createWire(n1);
const wire2 = createWire(n2);
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

/** What version 1 looks like for ever: a change of these bytes is a new version. */
const frames: Readonly<Record<string, () => Uint8Array>> = {
  'envelope-full': () => wire1.envelope(n2, 1, 0, full, body),
  'envelope-bare': () => wire1.envelope(n2, 4_294_967_296, 9, bare, body),
  'envelope-answer': () => wire1.envelope(n2, 3, 2, answer, codec.encode({ ok: false, error: new NexaError('mailbox-full', 'full') })),
  pulse: () => wire1.pulse(10, 8, 7, { count: 2, hash: 4_000_000_000 }),
  'pulse-without-watches': () => wire1.pulse(10, 8, 7, undefined),
  watch: () => wire1.watch('replace', [{ target: actor(n2, 'a/b', 3), watcher: actor(n1, 'w', 9) }]),
  terminated: () => wire1.terminated([{ target: actor(n1, 'a', 3), watcher: actor(n2, 'w', 9), reason: 'failed' }]),
  resend: () => wire1.resend(),
  beat: () => wire1.beat({ ...n1, suspended: false, admits: true, agents: 12, lagMs: 3.25, pid: 4_242, load: 14.5 }),
};

describe('recorded frames of wire version 1', () => {
  test.each(Object.keys(frames))('%s is written as it was recorded and still read', (name) => {
    const recorded = readFileSync(new URL(`../fixtures/wire/v1-${name}.hex`, import.meta.url), 'utf8').trim();
    expect(Buffer.from((frames[name] as () => Uint8Array)()).toString('hex')).toBe(recorded);
    expect(wire2.read(Uint8Array.from(Buffer.from(recorded, 'hex'))).sender).toEqual(n1);
  });

  test('a beat from before nodes said what their agents cost counts one for each', () => {
    const recorded = readFileSync(new URL('../fixtures/wire/v1-beat-without-load.hex', import.meta.url), 'utf8').trim();
    expect(wire2.read(Uint8Array.from(Buffer.from(recorded, 'hex')))).toMatchObject({ beat: { agents: 12, load: 12 } });
  });
});

describe('a frame', () => {
  test('carries every field of an envelope, and the body as it was', () => {
    const frame = wire2.read(wire1.envelope(n2, 7, 6, full, body));
    expect(frame).toMatchObject({ frame: 'envelope', sender: n1, sequence: 7, taken: 6, envelope: full });
    expect(frame.frame === 'envelope' && codec.decode(frame.body)).toEqual({ type: 'add', by: 1 });
  });

  test('leaves out what is not there', () => {
    const frame = wire2.read(wire1.envelope(n2, 1, 0, bare, body)) as Extract<Frame, { frame: 'envelope' }>;
    expect(JSON.parse(JSON.stringify(frame.envelope))).toEqual({ to: bare.to });
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
          const frame = wire2.read(wire1.envelope(n2, 1, 0, { to, replyTo, from, message: undefined }, body));
          expect(frame).toMatchObject({ envelope: { to, replyTo, from } });
        },
      ),
    );
  });

  test('watches, ends, pulses and beats come back', () => {
    const pair = { target: actor(n2, 'a/b', 3), watcher: actor(n1, 'w', 9) };
    expect(wire2.read(wire1.watch('remove', [pair]))).toEqual({ frame: 'watch', sender: n1, mode: 'remove', pairs: [pair] });
    const ended = { target: actor(n1, 'a', 3), watcher: actor(n2, 'w', 9), reason: 'unknown' } as const;
    expect(wire2.read(wire1.terminated([ended]))).toEqual({ frame: 'terminated', sender: n1, ends: [ended] });
    expect(wire2.read(wire1.pulse(3, 2, 1, undefined))).toEqual({
      frame: 'pulse',
      sender: n1,
      sent: 3,
      known: 2,
      taken: 1,
      watches: undefined,
    });
    const beat = { ...n1, suspended: true, admits: false, agents: 3, lagMs: 0.5, pid: 1, load: 3.5 };
    expect(wire2.read(wire1.beat(beat))).toEqual({ frame: 'beat', sender: n1, beat });
  });
});

describe('a frame that cannot be read', () => {
  test('of another version is refused by name, whatever follows', () => {
    for (const payload of [
      Uint8Array.of(0x95, 2, 0, 1, 2, 3),
      Uint8Array.of(0xdc, 0, 5, 0x7f),
      Uint8Array.of(0x91, 0),
      Uint8Array.of(),
      Uint8Array.of(0x80),
      Uint8Array.of(0x92, 0xcc),
    ]) {
      expect(codeOf(() => wire2.read(payload))).toBe('unknown-version');
    }
  });

  test('with anything of the wrong shape is invalid', () => {
    const head = [1, 0, 'n1', 1];
    const envelope = [...head, 1, 0, 'nexa:counter/x', null, null, null, null, null, null, null, body];
    const broken = (at: number, value: unknown) => codec.encode((envelope as unknown[]).with(at, value));
    expect(wire2.read(codec.encode(envelope)).frame).toBe('envelope');
    const cases: [number, unknown][] = [
      [1, 99], [1, 'x'], [1, '__proto__'], [2, 'n 1'], [2, 5], [3, 0], [3, -1], [3, 1.5], [3, 'x'], [4, 0], [4, -1], [5, 'x'], [6, null], [6, 'counter'], [6, ['a b', 1]], [6, ['a', -1]], [6, ['a', 1, 2]],
      [6, 1.5], [6, {}], [7, 'nexa:counter/='], [8, ['\r\n', 1]], [8, 'nexa://n2.1/a#1'], [9, -1], [9, 'x'], [10, 'x'], [10, new Array(17).fill('a')], [10, [1]], [11, 'x'.repeat(65)], [12, -1],
      [12, Number.NaN], [12, Number.POSITIVE_INFINITY], [13, 5], [13, 'x'.repeat(129)], [14, null], [14, 'text'],
    ]; // biome-ignore format: a table
    for (const [at, value] of cases)
      expect(
        codeOf(() => wire2.read(broken(at, value))),
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
    ]) {
      expect(
        codeOf(() => wire2.read(codec.encode(payload))),
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
          return codec.encode([1, ...fields]);
        } catch {
          return Uint8Array.of();
        }
      }),
    );
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(['nothing', 'invalid-message', 'unknown-version']).toContain(codeOf(() => wire2.read(payload)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('more watches than one frame may hold', () => {
    const pairs = new Array(1_001).fill({ target: actor(n2, 'a', 3), watcher: actor(n1, 'w', 9) });
    expect(codeOf(() => wire2.read(wire1.watch('add', pairs)))).toBe('invalid-message');
  });
});
