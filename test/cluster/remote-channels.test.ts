import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InChannel, OutChannel } from '../../src/cluster/channels.ts';

describe('the receiving side of a channel', () => {
  test('under loss, duplication and reordering what is handled rises strictly, and after the next pulse every loss is a gap', () => {
    const fate = fc.constantFrom('arrives', 'lost', 'twice', 'late');
    fc.assert(
      fc.property(fc.array(fate, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (fates, delay) => {
        const channel = new InChannel();
        const arriving: { readonly at: number; readonly sequence: number }[] = [];
        for (const [index, what] of fates.entries()) {
          const sequence = index + 1;
          if (what === 'arrives' || what === 'twice') arriving.push({ at: index, sequence });
          if (what === 'twice') arriving.push({ at: index + delay, sequence });
          if (what === 'late') arriving.push({ at: index + delay + 0.5, sequence });
        }
        arriving.sort((a, b) => a.at - b.at);
        const handled = arriving.filter(({ sequence }) => channel.accept(sequence, 1)).map(({ sequence }) => sequence);
        for (const [index, sequence] of handled.entries()) if (index > 0) expect(sequence).toBeGreaterThan(handled[index - 1] as number);
        channel.reach(fates.length, 0);
        expect(channel.gaps).toBe(fates.length - handled.length);
        expect(channel.late).toBe(arriving.length - handled.length);
        expect(channel.taken).toBe(fates.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('owes a statement as long as the sender does not know it', () => {
    const channel = new InChannel();
    channel.accept(1, 10);
    expect(channel.settle()).toBe(1);
    expect(channel.owed).toBe(0);
    channel.reach(1, 0);
    expect(channel.owed).toBe(1);
    channel.settle();
    channel.reach(1, 1);
    expect(channel.owed).toBe(0);
  });
});

describe('the sending side of a channel', () => {
  const window = { messages: 4, bytes: 1_000 };

  test('is tight past the window, refuses past four of them, and lets answers a little further', () => {
    const channel = new OutChannel(window);
    const rooms = Array.from({ length: 20 }, () => {
      const room = `${channel.room()} ${channel.room(true)}`;
      channel.took(1);
      return room;
    });
    expect(rooms).toEqual([...new Array(4).fill('free free'), ...new Array(12).fill('tight tight'), ...new Array(4).fill('none tight')]);
    expect(channel.room(true)).toBe('none');
  });

  test('counts bytes as well', () => {
    const channel = new OutChannel(window);
    channel.took(999);
    expect(channel.room()).toBe('free');
    channel.took(1);
    expect(channel.room()).toBe('tight');
    channel.took(3_000);
    expect(channel.room()).toBe('none');
    expect(channel.state(3)).toBe(true);
    expect(channel.room()).toBe('free');
  });

  test('whatever is sent and stated, what is in flight is what was sent above the highest statement', () => {
    const step = fc.oneof(fc.record({ send: fc.nat(500) }), fc.record({ state: fc.integer({ min: -5, max: 400 }) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const channel = new OutChannel({ messages: 1e9, bytes: 1e9 });
        const sizes: number[] = [];
        let stated = 0;
        for (const one of steps) {
          if ('send' in one) {
            channel.took(one.send);
            sizes.push(one.send);
          } else {
            expect(channel.state(one.state)).toBe(one.state > stated && one.state <= sizes.length);
            if (one.state > stated && one.state <= sizes.length) stated = one.state;
          }
          expect(channel.inFlight).toBe(sizes.length - stated);
          expect(channel.inFlightBytes).toBe(sizes.slice(stated).reduce((sum, size) => sum + size, 0));
        }
      }),
      { numRuns: 300 },
    );
  });
});
