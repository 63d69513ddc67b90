import { Decoder, Encoder, ExtData, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCodec, isJson } from '../../src/cluster/codec.ts';
import { NexaError, Refused } from '../../src/errors.ts';

class Ref {
  readonly address: { readonly text: string };
  constructor(text: string) {
    this.address = { text };
  }
  toJSON(): string {
    return this.address.text;
  }
}
const refOf = (text: string) => {
  if (!text.startsWith('nexa:')) throw new TypeError('no address');
  return new Ref(text);
};
const codec = createCodec({ refOf });
const raw = new Encoder({ useBigInt64: true });
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const failure = (run: () => unknown): NexaError | undefined => {
  try {
    run();
  } catch (error) {
    if (error instanceof NexaError) return error;
    throw error;
  }
  return undefined;
};
const refused = (payload: Uint8Array) => failure(() => codec.decode(payload))?.code;
const unfit = (value: unknown) => failure(() => codec.encode(value));

const scalar = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const field = fc.string({ maxLength: 20 }).filter((key) => key !== '__proto__');
const jsonLike = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, scalar, fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(field, tie('value'), { maxKeys: 5 })),
})).value;
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('what is encoded comes back', () => {
  test('plain data in both encodings', () => {
    fc.assert(
      fc.property(jsonLike, (value) => {
        const plain = JSON.parse(JSON.stringify(value));
        expect(codec.decode(codec.encode(plain))).toEqual(plain);
        expect(codec.decodeJson(codec.encodeJson(plain))).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });

  test('bytes, refs, errors and a bare undefined', () => {
    const error = new Refused('mismatch', { value: 2, who: new Ref('nexa:counter/b') }, { agent: 'a' });
    const message = { type: 'x', bytes: Uint8Array.of(1, 2), to: [new Ref('nexa:counter/a b')], error, none: undefined };
    const back = codec.decode(codec.encode(message)) as typeof message;
    expect(back.bytes).toEqual(Uint8Array.of(1, 2));
    expect(back.to[0]).toBeInstanceOf(Ref);
    expect(back.to[0]?.toJSON()).toBe('nexa:counter/a b');
    expect(back.error).toBeInstanceOf(Refused);
    expect(back.error.toJSON()).toEqual({ ...error.toJSON(), details: { value: 2, who: new Ref('nexa:counter/b') } });
    expect('none' in back).toBe(false);
    expect(codec.decode(codec.encode(undefined))).toBeUndefined();
    expect(codec.decode(codec.encode(new NexaError('node-lost', 'gone')))).toMatchObject({ code: 'node-lost', message: 'gone' });
  });

  test('texts of any length are encoded as the library does it', () => {
    const units = fc.constantFrom('a', 'ß', '€', '😀', '\u0000');
    fc.assert(
      fc.property(fc.array(units, { maxLength: 20 }), fc.nat(400), (parts, times) => {
        const value = { text: parts.join('').repeat(times), list: [parts.join('')] };
        expect(Buffer.compare(codec.encode(value), encode(value))).toBe(0);
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
    );
  });

  test('whatever the library writes is read as the library reads it', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('a\ufffdb', '\ufffd'.repeat(40), 'x'.repeat(70_000)),
    );
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double());
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        ...[text, number, bytes, fc.boolean(), fc.constant(null)],
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(field, tie('value'), { maxKeys: 20 }),
      ),
    })).value;
    const writers = [new Encoder(), new Encoder({ forceFloat32: true }), new Encoder({ forceIntegerToFloat: true })];
    const reader = new Decoder();
    fc.assert(
      fc.property(value, fc.constantFrom(...writers), (made, writer) => {
        const payload = writer.encode(made);
        expect(codec.decode(payload, 2 ** 24)).toEqual(reader.decode(payload));
      }),
      { numRuns: 1_000 },
    );
  });

  test('in JSON a ref is its address and an error its fields', () => {
    const text = Buffer.from(codec.encodeJson({ ref: new Ref('nexa:counter/a'), error: new NexaError('bad-id', 'no') })).toString();
    expect(JSON.parse(text)).toMatchObject({ ref: 'nexa:counter/a', error: { code: 'bad-id', definite: true } });
  });

  test('a 64-bit integer is a number where that loses nothing, else a bigint', () => {
    for (const value of [2n ** 53n - 1n, -(2n ** 53n) + 1n, 2n ** 40n, -(2n ** 40n)])
      expect(codec.decode(raw.encode({ value }))).toEqual({ value: Number(value) });
    for (const value of [2n ** 53n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 63n)])
      expect(codec.decode(raw.encode([{ value, small: 5n }]))).toEqual([{ value, small: 5 }]);
    expect(codec.decode(codec.encode(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('64 levels pass in both directions and 65 do not', () => {
    expect(codec.decode(codec.encode(nested(64)))).toEqual(nested(64));
    expect(codec.decodeJson(codec.encodeJson(nested(64)))).toEqual(nested(64));
    expect(unfit(nested(65))?.code).toBe('not-encodable');
    expect(refused(new Encoder().encode(nested(65)))).toBe('invalid-message');
    expect(failure(() => codec.decodeJson(Buffer.from(JSON.stringify(nested(65)))))?.code).toBe('invalid-message');
  });

  test('a result of encode is the caller’s: the next call does not change it', () => {
    const first = codec.encode({ n: 1 });
    const shared = codec.encodeShared({ n: 1 });
    codec.encode({ n: 2 });
    expect(codec.decode(first)).toEqual({ n: 1 });
    expect(codec.decode(shared)).toEqual({ n: 2 });
  });
});

describe('what cannot travel is refused at the sender, with its place', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  class Custom {
    readonly x = 1;
  }
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['a function', { a: [{ b: () => 1 }] }, 'message.a[0].b'],
    ['a symbol', { a: Symbol('x') }, 'message.a'],
    ['a bigint', { a: 1n }, 'message.a'],
    ['a class instance', { a: new Custom() }, 'message.a'],
    ['a Map', { a: new Map() }, 'message.a'],
    ['a Set', [new Set()], 'message[0]'],
    ['a Date', { at: new Date(0) }, 'message.at'],
    ['another error', { a: new TypeError('x') }, 'message.a'],
    ['a promise', { a: Promise.resolve(1) }, 'message.a'],
    ['half a surrogate pair', { a: 'x\ud800' }, 'message.a'],
    ['such a field', { 'x\udc00': 1 }, 'message.x\ufffd'],
    ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), 'message.a'],
    ['a long array', { a: new Array(10_001).fill(0) }, 'message.a'],
    ['an error in an error', { a: new Refused('x', { inner: new NexaError('internal', 'y') }) }, 'message.a.details.inner'],
  ];
  test.each(cases)('%s', (_name, value, path) => {
    for (const run of [() => codec.encode(value), () => codec.encodeJson(value)]) {
      const error = failure(run);
      expect(error?.code).toBe('not-encodable');
      expect(error?.where.path).toBe(path);
    }
  });

  test('a cycle', () => {
    expect(unfit(cycle)?.code).toBe('not-encodable');
    expect(failure(() => codec.encodeJson(cycle))?.code).toBe('not-encodable');
  });

  test('a small object that would unfold into endlessly many', () => {
    let value: unknown = 1;
    for (let level = 0; level < 60; level++) value = [value, value];
    expect(unfit(value)?.code).toBe('not-encodable');
  });

  test('too many bytes', () => {
    const text = 'x'.repeat(200_000);
    expect(unfit(new Array(10_000).fill(text))?.code).toBe('payload-too-large');
    expect(unfit('é'.repeat(600_000))?.code).toBe('payload-too-large');
    expect(unfit(new Uint8Array(1_048_577))?.code).toBe('payload-too-large');
  });

  test('what only JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, new Uint8Array(1)]) {
      expect(unfit({ value })).toBeUndefined();
      expect(failure(() => codec.encodeJson({ value }))?.code).toBe('not-encodable');
    }
  });
});

describe('hostile msgpack', () => {
  const repeat = (text: string, count: number) => hex(text.repeat(count));
  const battery: readonly (readonly [string, Uint8Array])[] = [
    ['B1 an array of 4 billion', hex('dd ffffffff')],
    ['B2 33 arrays of 16 million', repeat('dd00ffffff', 33)],
    ['B3 1,000 of them', repeat('dd00ffffff', 1_000)],
    ['B3 chained inside each other under the limit', repeat('dd00002710', 60)],
    ['B4 a map of 4 billion', hex('df ffffffff')],
    ['B5 a huge text', hex('db ffffffff 61')],
    ['B5 huge bytes', hex('c6 ffffffff 61')],
    ['B5 a huge extension', hex('c9 ffffffff 01 61')],
    ['B6 a million levels', new Uint8Array(1_000_000).fill(0x91)],
    ['B7 200,000 nested maps', repeat('81a161', 200_000)],
    ['B9 1 MB of empty maps', new Encoder().encode(new Array(100).fill(new Array(10_000).fill({})))],
    ['B10 the unused byte', hex('c1')],
    ['B12 bytes after the end', hex('c0c0')],
    ['B13 nothing', new Uint8Array(0)],
    ['B14 __proto__', new Encoder().encode(JSON.parse('{"__proto__":{"x":1}}'))],
    ['B14 __proto__ as a long text', hex(`81d909${Buffer.from('__proto__').toString('hex')}01`)],
    ['B18 an integer as a field name', hex('81 01 01')],
    ['B18 nil', hex('81 c0 01')],
    ['B18 a list', hex('81 90 01')],
    ['B18 bytes', hex('81 c4016101')],
    ['B18 a ref', new Uint8Array([0x81, 0xc7, 6, 1, ...Buffer.from('nexa:a'), 1])],
    ['B20 c328', hex('a2c328')],
    ['B20 overlong', hex('a2c0af')],
    ['B20 a surrogate', hex('a3eda080')],
    ['B20 in a long text', new Uint8Array([0xd9, 200, ...new Uint8Array(199).fill(0x61), 0xff])],
    ['B20 in a field name', hex('81a2c0af01')],
    ['B23 a timestamp', hex('d6ff00000000')],
    ['B25 a text above the frame', new Encoder().encode('x'.repeat(1_100_000))],
    ['a list of 10,001', new Encoder().encode(new Array(10_001).fill(0))],
    ['undefined inside', hex('91c70003')],
    ['a ref that is none', new Uint8Array([0xc7, 4, 1, ...Buffer.from('what')])],
    ['an error without end', hex('d402dd')],
    ['an error in an error', new Encoder().encode(new ExtData(2, new Encoder().encode([new ExtData(2, Uint8Array.of(0xc0))])))],
  ];
  test.each(battery)('%s', (_name, payload) => {
    expect(refused(payload)).toBe('invalid-message');
  });

  test('every extension type that is not ours', () => {
    for (let type = -128; type < 128; type++) {
      if (type === 1 || type === 2) continue;
      expect(refused(new Encoder().encode(new ExtData(type, Uint8Array.of(0xc0)))), String(type)).toBe('invalid-message');
    }
  });

  test('a valid message cut at any offset, or with one byte more', () => {
    fc.assert(
      fc.property(jsonLike, (value) => {
        const payload = codec.encode(JSON.parse(JSON.stringify([value])));
        for (let end = 0; end < payload.length; end++) expect(refused(payload.subarray(0, end))).toBe('invalid-message');
        expect(refused(Uint8Array.from([...payload, 0]))).toBe('invalid-message');
      }),
      { numRuns: 100 },
    );
  });

  test('any bytes are a message or a typed refusal, and a message can be sent on', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.constantFrom(0x81, 0x91, 0xa1, 0x61, 0xc7, 0xd4, 1, 2, 3, 0xdc, 0, 0xdf, 0xcf, 0xc4, 0xd9), { maxLength: 60 })
        .map((list) => Uint8Array.from(list)),
      fc.tuple(jsonLike, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const payload = codec.encode(JSON.parse(JSON.stringify(value)));
        payload[at % payload.length] = byte;
        return payload;
      }),
    );
    fc.assert(
      fc.property(bytes, (payload) => {
        const before = failure(() => codec.decode(payload));
        if (before !== undefined) expect(before.code).toBe('invalid-message');
        else if (typeof codec.decode(payload) !== 'bigint') failure(() => codec.encode(codec.decode(payload)));
      }),
      { numRuns: 5_000 },
    );
  });

  test('a hostile frame costs no memory to speak of', () => {
    const payloads = battery.map(([, payload]) => payload).filter((payload) => payload.length < 1_000_000);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round++) for (const payload of payloads) refused(payload);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
  });

  test('a field named then, toJSON or constructor is data', async () => {
    const back = codec.decode(codec.encode(JSON.parse('{"then":1,"toJSON":"x","constructor":{"prototype":2},"toString":null}'))) as Record<
      string,
      unknown
    >;
    expect(await Promise.resolve(back)).toBe(back);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(codec.decodeJson(codec.encodeJson(back))).toEqual(back);
  });
});

describe('hostile JSON', () => {
  const cases: readonly (readonly [string, string | Uint8Array])[] = [
    ['nothing', ''],
    ['half of one', '{"a":'],
    ['a byte order mark', '\ufeff{}'],
    ['invalid UTF-8', hex('7b2261223a22c32822 7d')],
    ['half a surrogate pair, escaped', '{"a":"\\ud800"}'],
    ['a million levels', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
    ['brackets in a text do not count, those after it do', `["[[\\"[",${'['.repeat(65)}${']'.repeat(65)}]`],
    ['a number that is infinite', '{"a":1e999}'],
    ['__proto__', '{"a":{"__proto__":{"x":1}}}'],
    ['a long list', `[${'0,'.repeat(10_000)}0]`],
    ['many values', `[${'[],'.repeat(300_000)}0]`],
    ['more than the limit', `"${'x'.repeat(1_048_576)}"`],
  ];
  test.each(cases)('%s', (_name, text) => {
    expect(failure(() => codec.decodeJson(typeof text === 'string' ? Buffer.from(text) : text))?.code).toBe('invalid-message');
  });

  test('any text is a message or a typed refusal', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json({ maxDepth: 8 }),
          fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'e') }),
        ),
        (text) => {
          const found = failure(() => codec.decodeJson(Buffer.from(text)));
          if (found !== undefined) expect(found.code).toBe('invalid-message');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('the first byte tells JSON from msgpack', () => {
    expect(isJson(Buffer.from('{"a":1}'))).toBe(true);
    expect(isJson(codec.encode({ a: 1 }))).toBe(false);
    expect(isJson(new Uint8Array(0))).toBe(false);
  });
});
