import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Mail } from '../../src/actor/envelope.ts';
import { Mailbox, mailboxLimits } from '../../src/actor/mailbox.ts';
import { estimateBytes } from '../../src/actor/size.ts';

const to = { kind: 'agent', type: 't', id: 'i' } as const;
const from = { kind: 'agent', type: 't', id: 'sender' } as const;

describe('a mailbox', () => {
  test('does what a plain list with the same bounds does', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('offer' as const, 'tell' as const) },
        { weight: 3, arbitrary: fc.constant('shift' as const) },
        fc.constantFrom('stash' as const, 'unstashAll' as const, 'push' as const, 'drain' as const),
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('reject' as const, 'drop-oldest' as const, 'drop-newest' as const),
        (program, limit, overflow) => {
          const mailbox = new Mailbox(mailboxLimits({ limit, overflow }));
          const lost: Mail[] = [];
          const owner = { address: to, overflowed: (mail: Mail) => void lost.push(mail) };
          let waiting: Mail[] = [];
          let stashed: Mail[] = [];
          const modelLost: Mail[] = [];
          let taken: Mail | undefined;
          let n = 0;
          for (const step of program) {
            const mail = new Mail(to, { type: 'm', n: n++ }, from);
            switch (step) {
              case 'offer':
              case 'tell':
                if (step === 'offer') mailbox.offer(mail, owner);
                else mailbox.offerTold(mail.message, mail.from, owner);
                if (waiting.length + stashed.length < limit) waiting.push(mail);
                else if (overflow !== 'drop-oldest' || waiting.length === 0) modelLost.push(mail);
                else {
                  while (waiting.length > 0 && waiting.length + stashed.length >= limit) modelLost.push(waiting.shift() as Mail);
                  if (stashed.length >= limit) modelLost.push(mail);
                  else waiting.push(mail);
                }
                break;
              case 'push':
                mailbox.push(mail);
                waiting.push(mail);
                break;
              case 'shift':
                taken = mailbox.shiftMail(owner);
                expect(taken).toEqual(waiting.shift());
                break;
              case 'stash':
                if (taken !== undefined && !stashed.includes(taken)) {
                  const fits = waiting.length + stashed.length < limit;
                  expect(mailbox.stash(taken)).toBe(fits);
                  if (fits) stashed.push(taken);
                }
                break;
              case 'unstashAll':
                mailbox.unstashAll();
                waiting = [...stashed, ...waiting];
                stashed = [];
                taken = undefined;
                break;
              case 'drain':
                expect(mailbox.drain(owner)).toEqual([...stashed, ...waiting]);
                waiting = [];
                stashed = [];
                taken = undefined;
            }
            expect(mailbox.size).toBe(waiting.length);
            expect(mailbox.stashed).toBe(stashed.length);
            expect(mailbox.high).toBe(waiting.length + stashed.length >= Math.max(1, Math.floor(limit * 0.8)));
          }
          expect(lost).toEqual(modelLost);
          expect(mailbox.drain(owner)).toEqual([...stashed, ...waiting]);
        },
      ),
    );
  });

  test('keeps its count of bytes true', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2_000 }), { maxLength: 200 }), (sizes) => {
        const mailbox = new Mailbox(mailboxLimits({ limit: 10_000, limitBytes: 1_024, overflow: 'drop-oldest' }));
        const owner = { address: to, overflowed() {} };
        for (const size of sizes) {
          const message = { type: 'm', text: 'x'.repeat(size) };
          if (size % 2 === 0) mailbox.offer(new Mail(to, message, undefined), owner);
          else mailbox.offerTold(message, undefined, owner);
        }
        mailbox.drain(owner);
        expect(mailbox.sizeBytes).toBe(0);
        expect(mailbox.size).toBe(0);
      }),
    );
  });

  test.each([{ limit: 0 }, { limit: 1.5 }, { limitBytes: 1 }, { overflow: 'explode' as 'reject' }, { limit: Number.NaN }])(
    'refuses options like %o',
    (options) => {
      expect(() => mailboxLimits(options)).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
    },
  );

  test('reckons the size of a message by at most 64 of its parts', () => {
    expect(estimateBytes('x'.repeat(1_000))).toBeGreaterThanOrEqual(2_000);
    expect(estimateBytes(new Uint8Array(5_000))).toBeGreaterThanOrEqual(5_000);
    expect(estimateBytes({ list: Array.from({ length: 100_000 }, () => 'abc') })).toBeGreaterThan(1_000_000);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(estimateBytes(circle)).toBeLessThan(10_000);
  });
});
