import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../chaos/fault.ts';
import { createCodec } from '../../../src/cluster/codec.ts';
import { decodeAgent } from '../../../src/cluster/place.ts';
import { decodeState, encodeState } from '../../../src/durable/fenced-state.ts';
import { NOTHING_KEPT } from '../../../src/durable/kept.ts';
import { kvOf, NOTHING, objections, streamOf, transportOf, type Wrap } from './support.ts';

const codec = createCodec();
const KILLS: readonly Fault[] = [
  { fault: 'wait', forMs: 3_000 },
  { fault: 'kill', target: 'node', forMs: 2_000 },
  { fault: 'wait', forMs: 6_000 },
  { fault: 'kill', target: 'node', silent: true, forMs: 12_000 },
];
const KILL: readonly Fault[] = [
  { fault: 'wait', forMs: 3_000 },
  { fault: 'kill', target: 'node', forMs: 1_000 },
  { fault: 'wait', forMs: 20_000 },
];
/** Answers get lost, and whoever gave them dies. */
const STORM: readonly Fault[] = [
  {
    fault: 'together',
    faults: [
      { fault: 'loss', percent: 30, forMs: 20_000 },
      { fault: 'flap', target: 'node', times: 5, everyMs: 4_000 },
    ],
  },
];
const ELECTION: readonly Fault[] = [
  { fault: 'wait', forMs: 4_000 },
  { fault: 'kill', target: 'store-leader' },
  { fault: 'wait', forMs: 8_000 },
];

/** Each so many-th write of a state is acknowledged and not kept. */
const forgetful = (every: number): Wrap => {
  let writes = 0;
  return kvOf('STATE', (kv) => ({
    ...kv,
    update: async (key, value, revision, options) =>
      ++writes % every === 0 ? { written: 'yes', revision: revision + 1 } : kv.update(key, value, revision, options),
  }));
};
/** What was handled is forgotten with its node. */
const forgetsRequests: Wrap = kvOf('STATE', (kv) => {
  const bare = (value: Uint8Array, key: string): Uint8Array =>
    encodeState({ ...decodeState(value, codec, key), kept: NOTHING_KEPT }, codec);
  return {
    ...kv,
    create: (key, value, options) => kv.create(key, bare(value, key), options),
    update: (key, value, revision, options) => kv.update(key, bare(value, key), revision, options),
  };
});

describe('what is broken in the running system is found by its checker', { timeout: 120_000 }, () => {
  test('a durable message that is acknowledged and not stored: set-full', async () => {
    let appended = 0;
    const lossy = streamOf('MAILBOX', (stream) => ({
      ...stream,
      append: async (subject, record, options) =>
        ++appended % 15 === 0 ? { written: 'yes', revision: 1_000_000 + appended } : stream.append(subject, record, options),
    }));
    expect(await objections('durable mail', ['letters'], NOTHING, { wrap: lossy })).toMatch(/was acknowledged and is lost/);
  });
  test('a state that is acknowledged and not stored: linearizable, append list', async () => {
    expect(await objections('linearizable', ['register'], KILLS, { wrap: forgetful(40) })).toMatch(/no order of these calls explains/);
    expect(await objections('append list', ['list'], KILLS, { wrap: forgetful(40) })).toMatch(/lost/);
  });
  test('a state that is acknowledged and not stored: bank', async () =>
    expect(await objections('bank', ['bank'], KILLS, { wrap: forgetful(40) })).toMatch(/is lost|its transfers make|all accounts together/));
  test('requests that are forgotten with their node: bank', async () =>
    expect(await objections('bank', ['bank'], STORM, { wrap: forgetsRequests })).toMatch(
      /its transfers make|all accounts together|is there 2 times|was seen as/,
    ));
  test('a state that is acknowledged and not stored: lock', async () =>
    expect(await objections('lock', ['lock'], KILLS, { wrap: forgetful(40) })).toMatch(/token|lost/));
  test('a message on a topic that is sent twice: pub/sub', async () => {
    const doubling = transportOf((transport) => ({
      ...transport,
      publish(subject, payload, options) {
        transport.publish(subject, payload, options);
        if (subject.includes('.topic.drill.news.')) transport.publish(subject, payload, options);
      },
    }));
    expect(await objections('pub/sub', ['topics'], NOTHING, { wrap: doubling })).toMatch(/heard \d+ of drill-announcer.* after/);
  });
  test('a node that says that it created what runs: created once', async () => {
    // In msgpack: the text, and false.
    const boasted = (payload: Uint8Array): Uint8Array => {
      const bytes = Buffer.from(payload);
      const at = bytes.indexOf('created\xc2', 'latin1');
      if (at >= 0) bytes[at + 'created'.length] = 0xc3;
      return bytes;
    };
    const boasting = transportOf((transport) => ({
      ...transport,
      publish: (subject, payload, options) => transport.publish(subject, boasted(payload), options),
    }));
    expect(await objections('created once', ['churn'], NOTHING, { wrap: boasting })).toMatch(/ran, and spawn id .* created it anew/);
  });
  test('a stop that is acknowledged and not written: the registry is what lives', async () => {
    const still = kvOf('AGENTS', (kv) => ({
      ...kv,
      update: async (key, value, revision, options) =>
        decodeAgent(value, codec, key).desired === 'stopped' && key.startsWith('drill-household.')
          ? { written: 'yes', revision: revision + 1 }
          : kv.update(key, value, revision, options),
    }));
    expect(await objections('the registry', ['churn'], NOTHING, { wrap: still })).toMatch(/and lives|does not live/);
  });
  test('a node that takes nobody over for a while: availability', async () => {
    let claims = 0;
    const slow = kvOf('AGENTS', (kv) => ({
      ...kv,
      update: async (key, value, revision, options) =>
        decodeAgent(value, codec, key).cause === 'crash' && ++claims < 150
          ? { written: 'unknown' }
          : kv.update(key, value, revision, options),
    }));
    expect(await objections('availability', ['counter'], KILL, { wrap: slow })).toMatch(/was asked and did not answer for \d+ ms/);
  });
  test('a lease that is not renewed, though nothing was done to its node: needless moves, and ends', async () => {
    let renewals = 0;
    const lapsing = kvOf('MEMBERS', (kv, node) => ({
      ...kv,
      update: async (key, value, revision, options) =>
        node === 'n1' && key === 'n1' && ++renewals > 12 && renewals < 60
          ? { written: 'unknown' }
          : kv.update(key, value, revision, options),
    }));
    expect(await objections('nothing moved', ['counter', 'register'], ELECTION, { wrap: lapsing })).toMatch(
      /moved from n1 to n\d at \d+ ms \((lease|crash)\), and nothing had been done to n1/,
    );
  });
  test('writes under the epoch of another agent: who wrote was the owner', async () => {
    let first: number | undefined;
    const borrowed = kvOf('STATE', (kv) => ({
      ...kv,
      update: (key, value, revision, options) => {
        const record = decodeState(value, codec, key);
        first ??= record.epoch;
        return kv.update(key, encodeState({ ...record, epoch: first }, codec), revision, options);
      },
    }));
    expect(await objections('who wrote', ['counter', 'register'], NOTHING, { wrap: borrowed })).toMatch(
      /in STATE is of epoch \d+, which was given to/,
    );
  });
});
