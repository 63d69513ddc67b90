import { expect, test } from 'vitest';
import { Mail } from '../../src/actor/envelope.ts';
import { Parked } from '../../src/cluster/parked.ts';

const mail = (characters = 0) => new Mail({ kind: 'agent', type: 'counter', id: 'a' }, 'x'.repeat(characters), undefined);

test('what waits for an activation is bounded in number; its senders hear of it halfway', () => {
  const parked = new Parked({ bytes: 0 });
  for (let count = 0; count < 499; count++) parked.offer(mail());
  expect(parked.roomy).toBe(true);
  parked.offer(mail());
  expect(parked.roomy).toBe(false);
  for (let count = 500; count < 1_000; count++) expect(parked.offer(mail())).toBe(true);
  expect(parked.offer(mail())).toBe(false);
  expect([parked.drain().length, parked.size, parked.roomy]).toEqual([1_000, 0, true]);
});

test('and in bytes, of one agent and of all of a node', () => {
  const all = { bytes: 0 };
  const agents = Array.from({ length: 10 }, () => new Parked(all));
  // One mebicharacter is two of memory.
  for (const agent of agents.slice(0, 8)) for (let count = 0; count < 3; count++) expect(agent.offer(mail(1_048_576))).toBe(true);
  expect(agents[0]?.offer(mail(1_048_576))).toBe(false);
  for (let count = 0; count < 3; count++) expect(agents[8]?.offer(mail(1_048_576))).toBe(true);
  for (let count = 0; count < 3; count++) agents[9]?.offer(mail(1_048_576));
  expect([all.bytes <= 67_108_864, agents[9]?.offer(mail(4_194_304))]).toEqual([true, false]);
  for (const agent of agents) agent.drain();
  expect(all.bytes).toBe(0);
});
