import { expect, test } from 'vitest';
import { didYouMean } from '../../supervisors/did-you-mean.ts';

const keys = ['cluster', 'name', 'nats', 'labels', 'replicas', 'workers', 'services'];

test.each([
  ['clustr', 'cluster'],
  ['replicsa', 'replicas'],
  ['Worker', 'workers'],
  ['nast', 'nats'],
  ['servcies', 'services'],
])('%s was meant to be %s', (word, meant) => {
  expect(didYouMean(word, keys)).toBe(meant);
});

test.each(['port', 'x', '', 'clusterofmachines', 'c'.repeat(10_000)])('nothing like %s is there', (word) => {
  expect(didYouMean(word, keys)).toBeUndefined();
});

test('the nearest is chosen', () => {
  expect(didYouMean('counte', ['courtes', 'counter'])).toBe('counter');
});
