import { afterEach, expect, test } from 'vitest';
import { type LoopLag, loopLag } from '../../supervisors/loop-lag.ts';
import { processLoad } from '../../supervisors/process-load.ts';

const block = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};
let lag: LoopLag;
afterEach(() => lag?.stop());

test('a blocked loop shows at once, to every reader, whether or not a timer of its own has fired', async () => {
  lag = loopLag();
  block(120);
  expect(lag.sample()).toBeGreaterThan(80);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lag.sample()).toBeGreaterThan(80);
  expect(lag.sample()).toBeGreaterThan(80);
});

test('a block across the end of a window is not lost', () => {
  lag = loopLag();
  block(510);
  lag.sample();
  block(100);
  expect(lag.sample()).toBeGreaterThan(80);
});

test('a busy process uses some of a core, and some memory', () => {
  lag = loopLag();
  const load = processLoad();
  block(100);
  // How much of one, the others on this machine have a say in.
  expect(load.cpu()).toBeGreaterThan(0);
  expect(load.rssBytes()).toBeGreaterThan(1_000_000);
  expect(load.heapBytes()).toBeGreaterThan(1_000_000);
});
