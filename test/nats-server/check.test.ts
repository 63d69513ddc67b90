import { expect, test } from 'vitest';
import {
  compareAndSetFinding,
  durabilityFinding,
  jetStreamFinding,
  type Observed,
  replicasFinding,
  versionFinding,
} from '../../src/nats-server/check.ts';

const good: Required<Observed> = {
  versions: ['2.15.1', '2.15.1', '2.15.1'],
  servers: 3,
  replicas: 3,
  jetstream: true,
  races: { run: 20, wrong: 0 },
  durability: { wanted: 'quorum', seen: 'quorum' },
};
const findings = (observed: Required<Observed>) =>
  Object.entries({
    jetstream: jetStreamFinding(observed),
    version: versionFinding(observed),
    replicas: replicasFinding(observed),
    'compare-and-set': compareAndSetFinding(observed.races),
    durability: durabilityFinding(observed.durability, observed.replicas),
  });
const notOk = (observed: Required<Observed>) =>
  findings(observed)
    .filter(([, { verdict }]) => verdict !== 'ok')
    .map(([check, { verdict }]) => `${check} ${verdict}`);

test('three good servers pass every check', () => {
  expect(notOk(good)).toEqual([]);
});

test.each<[string, Partial<Observed>, string[]]>([
  ['JetStream is off', { jetstream: false }, ['jetstream failed']],
  ['one of the servers is too old', { versions: ['2.15.1', '2.10.27'] }, ['version failed']],
  ['a server is older than recommended', { versions: ['2.11.4'] }, ['version warning']],
  ['a server reports nonsense', { versions: ['dev'] }, ['version failed']],
  ['a single server is old but sound', { versions: ['2.10.27'], servers: 1, replicas: 1 }, ['version warning']],
  ['there are more replicas than servers', { servers: 1 }, ['replicas failed']],
  ['replicas are even', { replicas: 2 }, ['replicas warning']],
  ['there are two servers', { servers: 2, replicas: 1 }, ['replicas warning']],
  ['three servers hold one replica', { replicas: 1 }, ['replicas warning']],
  ['replicas are no number', { replicas: Number.NaN }, ['replicas failed']],
  ['a race had two winners', { races: { run: 20, wrong: 1 } }, ['compare-and-set failed']],
  ['no race could be run', { races: { run: 0, wrong: 0 } }, ['compare-and-set warning']],
  ['fsync was asked for and is off', { durability: { wanted: 'fsync', seen: 'quorum' } }, ['durability failed']],
  ['fsync cannot be seen', { durability: { wanted: 'fsync', seen: 'unverified' } }, ['durability failed']],
  ['quorum cannot be seen', { durability: { wanted: 'quorum', seen: 'unverified' } }, ['durability warning']],
])('when %s the verdict says so and how to fix it', (_, change, expected) => {
  const observed = { ...good, ...change };
  expect(notOk(observed)).toEqual(expected);
  expect(findings(observed).filter(([, { verdict, fix }]) => verdict !== 'ok' && fix === undefined)).toEqual([]);
});

test('more durability than asked for is fine', () => {
  expect(notOk({ ...good, durability: { wanted: 'quorum', seen: 'fsync' } })).toEqual([]);
});

test('of several servers the worst is named', () => {
  expect(versionFinding({ versions: ['2.15.1', '2.11.4', '2.9.10', '2.9.9'], servers: 3, replicas: 3 })).toMatchObject({
    verdict: 'failed',
    message: expect.stringMatching(/^nats-server 2\.9\.10 .*; nats-server 2\.9\.9 [^;]*$/),
  });
});
