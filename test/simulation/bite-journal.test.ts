import { expect, test } from 'vitest';
import { parseAgentKey, subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { decodeState } from '../../src/durable/fenced-state.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { bitten, codec, forced, kvBroken } from './bite.ts';

/** Of every snapshot the network keeps a copy that comes seconds later. */
const copiedSnapshots = (late: (kv: Kv) => Kv['update']) =>
  kvBroken('SNAPSHOTS', (kv, { clock }) => ({
    ...kv,
    update: (key, value, revision, options) => {
      clock.after(4_000, () => void late(kv)(key, value, revision, options).catch(() => undefined));
      return kv.update(key, value, revision, options);
    },
  }));

test('snapshot without CAS: one that is late replaces a later one, and what that stood for is purged', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'snapshot without CAS', faults: ['crash with proof', 'leave'], loads: ['journals', 'churn'], seeds: 40 },
    luck: copiedSnapshots((kv) => kv.update),
    breaks: copiedSnapshots((kv) => (key, value, _revision, options) => forced(kv, key, value, options)),
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|never answered|final/);
});

test('purge up to an unacknowledged floor: what was not handled after all is gone', { timeout: 300_000 }, async () => {
  const subjects = subjectsOf('sim');
  const breaks = kvBroken('STATE', (kv, { stores }) => ({
    ...kv,
    update: async (key, value, revision, options) => {
      const { floor } = decodeState(value, codec, key).kept;
      const { type, id } = parseAgentKey(key);
      const mailbox = stores.stream(subjects.store('MAILBOX'));
      if (floor > 0) await mailbox.purge(subjects.record('mailbox', type, id), { belowSequence: floor + 1, ...options });
      return kv.update(key, value, revision, options);
    },
  }));
  const faults = ['crash with proof', 'isolate'] as const;
  const { found, objections } = await bitten({
    ...{ bug: 'purge up to an unacknowledged floor', faults, loads: ['letters', 'churn'], seeds: 30 },
    ...{ weather: { unknownLost: 300, storeMs: 15 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/was stored and is lost/);
});
