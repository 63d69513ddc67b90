import { describe, expect, it } from 'vitest';
import type { NexaError } from '../../src/errors.ts';
import { Gate } from '../../src/nats/gate.ts';

function world(options: { readonly inFlight: number; readonly queued: number }) {
  const gate = new Gate({ queuedBytes: 100, ...options, what: 'requests' });
  const begun: string[] = [];
  const enter = (name: string, bytes = 0, begin: () => void = () => undefined) => {
    const turn = {
      bytes,
      begin: () => {
        begun.push(name);
        begin();
      },
    };
    gate.enter(turn);
    return turn;
  };
  const refusal = (enters: () => void): Partial<NexaError> => {
    try {
      enters();
    } catch (error) {
      return error as NexaError;
    }
    throw new Error('it was let in');
  };
  return { gate, enter, begun, refusal };
}

describe('a gate', () => {
  it('lets so many begin at a time, the others in order', () => {
    const { gate, enter, begun } = world({ inFlight: 2, queued: 10 });
    for (const name of ['a', 'b', 'c', 'd']) enter(name);
    expect(begun).toEqual(['a', 'b']);
    gate.leave();
    expect(begun).toEqual(['a', 'b', 'c']);
    gate.leave();
    gate.leave();
    enter('e');
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('never begins who is forgotten while it waits', () => {
    const { gate, enter, begun } = world({ inFlight: 1, queued: 10 });
    enter('a');
    const second = enter('b');
    enter('c');
    gate.forget(second);
    gate.leave();
    expect(begun).toEqual(['a', 'c']);
  });

  it('refuses beyond its queue', () => {
    const { enter, refusal } = world({ inFlight: 1, queued: 1 });
    enter('a');
    enter('b');
    expect(refusal(() => enter('c'))).toMatchObject({ code: 'overloaded', definite: true });
  });

  it('and beyond its bytes, which are free again when their turn came or they were forgotten', () => {
    const { gate, enter, begun, refusal } = world({ inFlight: 1, queued: 10 });
    enter('a', 1_000);
    const second = enter('b', 60);
    expect(refusal(() => enter('c', 41))).toMatchObject({ code: 'overloaded', definite: true });
    gate.forget(second);
    enter('d', 100);
    gate.leave();
    enter('e', 100);
    gate.leave();
    expect(begun).toEqual(['a', 'd', 'e']);
  });

  it('hands a long queue on to those who are through at once', () => {
    const { gate, enter, begun } = world({ inFlight: 1, queued: 100_000 });
    enter('first');
    for (let index = 0; index < 100_000; index++) enter('next', 0, () => gate.leave());
    gate.leave();
    expect(begun).toHaveLength(100_001);
    enter('last');
    expect(begun.at(-1)).toBe('last');
  });
});
