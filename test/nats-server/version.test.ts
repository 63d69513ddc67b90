import { expect, test } from 'vitest';
import { compareVersions, fitness, formatVersion, parseVersion, requireFit, type Version } from '../../src/nats-server/version.ts';

const version = (text: string) => parseVersion(text) as Version;

test.each([
  ['nats-server: v2.15.1', '2.15.1'],
  ['nats-server: v2.9.10\n', '2.9.10'],
  ['2.12.0-RC.2', '2.12.0-RC.2'],
  ['v2.10.27', '2.10.27'],
])('%j is read as %s', (text, expected) => {
  expect(formatVersion(version(text))).toBe(expected);
});

test.each(['', 'nats-server', '2.15', 'v2.15.x', '2.15.1.7', '9999999.1.1', 'x'.repeat(5_000)])('%j has no version', (text) => {
  expect(parseVersion(text)).toBeUndefined();
});

test('versions are ordered by their numbers, a pre-release before its release', () => {
  const ordered = ['2.9.10', '2.10.9', '2.10.23', '2.11.0-RC.1', '2.11.0', '2.12.8', '3.0.0'].map(version);
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
});

test.each([
  // version, single, replicated
  ['2.9.10', 'refused', 'refused'],
  ['2.10.22', 'refused', 'refused'],
  ['2.10.23', 'warned', 'refused'],
  ['2.10.27', 'warned', 'refused'],
  ['2.11.0-RC.1', 'warned', 'refused'],
  ['2.11.0', 'warned', 'warned'],
  ['2.12.7', 'warned', 'warned'],
  ['2.12.8', 'fit', 'fit'],
  ['2.13.5', 'warned', 'warned'],
  ['2.14.0-RC.1', 'warned', 'warned'],
  ['2.14.0', 'fit', 'fit'],
  ['2.15.1', 'fit', 'fit'],
  ['3.0.0', 'fit', 'fit'],
])('%s is %s for one server and %s for replicated ones', (text, single, replicated) => {
  const word = ({ fit, reason }: { fit: boolean; reason?: string }) => (fit ? (reason === undefined ? 'fit' : 'warned') : 'refused');
  expect(word(fitness(version(text), { replicated: false }))).toBe(single);
  expect(word(fitness(version(text), { replicated: true }))).toBe(replicated);
});

test('a refusal says which version would do', () => {
  expect(() => requireFit('2.9.10', { replicated: true })).toThrow(
    expect.objectContaining({ code: 'store-misconfigured', fix: expect.stringContaining('2.12.8') }),
  );
  expect(() => requireFit('garbage', { replicated: false })).toThrow(expect.objectContaining({ code: 'store-misconfigured' }));
});
