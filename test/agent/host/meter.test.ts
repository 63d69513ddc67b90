import { expect, test } from 'vitest';
import { Meter, TypeMeter, withinMs } from '../../../src/agent/host/meter.ts';

test('a meter counts for its agent and for its type', () => {
  const type = new TypeMeter();
  const [a, b] = [new Meter(type), new Meter(type)];
  a.handledIn(2);
  a.handledIn(4);
  b.handledIn(1);
  expect([a.handled, a.busyMs, b.handled, b.busyMs]).toEqual([2, 6, 1, 1]);
  expect([type.handled, type.busyMs]).toEqual([3, 7]);
});

test('how long handlers took is known to a factor of two, between any two readings', () => {
  const type = new TypeMeter();
  const meter = new Meter(type);
  for (let count = 0; count < 99; count++) meter.handledIn(0.9);
  const before = [...type.took];
  meter.handledIn(100);
  expect(withinMs(0.5, type.took)).toBe(1);
  expect(withinMs(0.99, type.took)).toBe(1);
  expect(withinMs(1, type.took)).toBe(128);
  expect(withinMs(0.5, type.took, before)).toBe(128);
  expect(withinMs(0.5, type.took, type.took)).toBe(0);
});

test('no time at all and hours of it have a bucket', () => {
  const type = new TypeMeter();
  const meter = new Meter(type);
  meter.handledIn(0);
  meter.handledIn(10_000_000);
  expect(withinMs(0.5, type.took)).toBe(1 / 16);
  expect(withinMs(1, type.took)).toBe(65_536);
});

test('a volatile state is weighed at first and then every 64th time', () => {
  const meter = new Meter(new TypeMeter());
  let weighed = 0;
  for (let count = 0; count < 129; count++) meter.changed(() => ++weighed);
  expect([weighed, meter.stateBytes]).toEqual([3, 3]);
});
