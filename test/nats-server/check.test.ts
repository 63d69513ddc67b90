import { expect, test } from 'vitest';
import { checkServers, type Observed, requireAccepted } from '../../src/nats-server/check.ts';

const good: Observed = {
  versions: ['2.15.1', '2.15.1', '2.15.1'],
  servers: 3,
  replicas: 3,
  jetstream: true,
  races: { run: 20, wrong: 0 },
  durability: { wanted: 'quorum', seen: 'quorum' },
};
const notOk = (observed: Observed) =>
  checkServers(observed)
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ check, verdict }) => `${check} ${verdict}`);

test('three good servers pass every check', () => {
  expect(notOk(good)).toEqual([]);
  expect(checkServers(good).map(({ check }) => check)).toEqual(['jetstream', 'version', 'replicas', 'compare-and-set', 'durability']);
  expect(() => requireAccepted(checkServers(good))).not.toThrow();
});

test.each<[string, Partial<Observed>, string[]]>([
  ['JetStream is off', { jetstream: false }, ['jetstream refused']],
  ['one of the servers is too old', { versions: ['2.15.1', '2.10.27'] }, ['version refused']],
  ['a server is older than recommended', { versions: ['2.11.4'] }, ['version warning']],
  ['a server reports nonsense', { versions: ['dev'] }, ['version refused']],
  ['a single server is old but sound', { versions: ['2.10.27'], servers: 1, replicas: 1 }, ['version warning']],
  ['there are more replicas than servers', { servers: 1 }, ['replicas refused']],
  ['replicas are even', { replicas: 2 }, ['replicas warning']],
  ['there are two servers', { servers: 2, replicas: 1 }, ['replicas warning']],
  ['three servers hold one replica', { replicas: 1 }, ['replicas warning']],
  ['replicas are no number', { replicas: Number.NaN }, ['replicas refused']],
  ['a race had two winners', { races: { run: 20, wrong: 1 } }, ['compare-and-set refused']],
  ['no race could be run', { races: { run: 0, wrong: 0 } }, ['compare-and-set warning']],
  ['fsync was asked for and is off', { durability: { wanted: 'fsync', seen: 'quorum' } }, ['durability refused']],
  ['fsync cannot be seen', { durability: { wanted: 'fsync', seen: 'unverified' } }, ['durability refused']],
  ['quorum cannot be seen', { durability: { wanted: 'quorum', seen: 'unverified' } }, ['durability warning']],
])('when %s the verdict says so and how to fix it', (_, change, expected) => {
  const observed = { ...good, ...change };
  expect(notOk(observed)).toEqual(expected);
  expect(checkServers(observed).filter(({ verdict, fix }) => verdict !== 'ok' && fix === undefined)).toEqual([]);
});

test('more durability than asked for is fine', () => {
  expect(notOk({ ...good, durability: { wanted: 'quorum', seen: 'fsync' } })).toEqual([]);
});

test('a refusal names every reason and every fix', () => {
  const results = checkServers({ ...good, jetstream: false, races: { run: 20, wrong: 20 } });
  expect(() => requireAccepted(results)).toThrow(
    expect.objectContaining({
      code: 'store-misconfigured',
      message: expect.stringMatching(/JetStream.*races/),
      fix: expect.stringMatching(/-js.*Upgrade/),
    }),
  );
});
