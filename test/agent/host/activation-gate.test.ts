import { expect, test } from 'vitest';
import { ActivationGate } from '../../../src/agent/host/activation-gate.ts';

const closed = () => {
  let owns = false;
  const done: string[] = [];
  const gate = new ActivationGate(7, () => owns);
  const hold = (name: string, bytes = 0): boolean =>
    gate.hold(
      () => done.push(name),
      () => done.push(`not ${name}`),
      bytes,
    );
  return { gate, done, hold, open: () => (owns = true) };
};

test('what may not leave yet waits, up to a number and up to so many bytes, and leaves in its order', () => {
  const { gate, done, hold, open } = closed();
  expect([hold('large', 8_000_000), hold('more', 400_000), hold('small', 388_608), hold('one byte', 1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  gate.release();
  expect(done).toEqual([]);
  open();
  gate.release();
  expect(done).toEqual(['large', 'small']);
  for (let count = 0; count < 1_000; count++) expect(hold(`${count}`)).toBe(true);
  expect(hold('one more')).toBe(false);
});

test('nothing of it leaves when the activation is over', () => {
  const { gate, done, hold } = closed();
  hold('a', 8_000_000);
  gate.close();
  expect([done, hold('b'), gate.shut]).toEqual([['not a'], false, true]);
});
