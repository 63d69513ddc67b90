import { expect, test } from 'vitest';
import { parseAgentKey, subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { decodeState } from '../../src/durable/fenced-state.ts';
import { bitten, codec, forced, kvBroken, streamBroken } from './bite.ts';

test('no fence in a journal: whoever is late appends behind what he has not seen', { timeout: 60_000 }, async () => {
  const breaks = streamBroken('JOURNAL', (stream) => ({
    ...stream,
    append: async (subject, record, { recordId, timeoutMs, ...options }) => {
      const outcome = await stream.append(subject, record, { ...options, recordId, timeoutMs });
      return outcome.written === 'no' ? stream.append(subject, record, { recordId: `${recordId}!`, timeoutMs }) : outcome;
    },
  }));
  const faults = ['store cut', 'isolate', 'pause'] as const;
  const { found, objections } = await bitten({ bug: 'no fence (journal)', faults, loads: ['journals', 'churn'], seeds: 30, breaks });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|never answered/);
});

test('snapshot without CAS: one that is late replaces a later one, and what that stood for is purged', { timeout: 60_000 }, async () => {
  const breaks = kvBroken('SNAPSHOTS', (kv) => ({
    ...kv,
    update: async (key, value, revision, options) => {
      const outcome = await kv.update(key, value, revision, options);
      return outcome.written === 'no' ? forced(kv, key, value, options) : outcome;
    },
  }));
  const { found, objections } = await bitten({
    ...{ bug: 'snapshot without CAS', faults: ['store cut', 'isolate', 'pause', 'flap'], loads: ['journals'], seeds: 40 },
    ...{ weather: { unknownLost: 300 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|never answered/);
});

test('purge up to an unacknowledged floor: what was not handled after all is gone', { timeout: 60_000 }, async () => {
  const subjects = subjectsOf('sim');
  const breaks = kvBroken('STATE', (kv, _node, stores) => ({
    ...kv,
    update: async (key, value, revision, options) => {
      const { floor } = decodeState(value, codec, key).kept;
      const { type, id } = parseAgentKey(key);
      const mailbox = stores.stream(subjects.store('MAILBOX'));
      if (floor > 0) await mailbox.purge(subjects.record('mailbox', type, id), { belowSequence: floor + 1, ...options });
      return kv.update(key, value, revision, options);
    },
  }));
  const faults = ['crash with proof', 'store cut'] as const;
  const { found, objections } = await bitten({
    ...{ bug: 'purge up to an unacknowledged floor', faults, loads: ['letters', 'churn'], seeds: 30 },
    ...{ weather: { unknownLost: 100 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/was stored and is lost/);
});
