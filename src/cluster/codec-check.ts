import type { Check } from '../ports/check.ts';
import type { Codec } from '../ports/codec.ts';

/** One of each kind that messages and records are made of. */
const VALUE = {
  text: 'Nexa ✓',
  whole: [0, -1, 65_536, 9_007_199_254_740_991],
  half: 0.5,
  bytes: Uint8Array.of(0, 255),
  flags: [true, false, null],
  nested: { deep: [{ er: '' }] },
};
/** As every release has written it: another form would be another layout of what is stored. */
const RECORDED =
  '86a474657874a84e65786120e29c93a577686f6c659400ffce00010000cf001fffffffffffffa468616c66cb3fe0000000000000a56279746573c40200ffa5666c61677393c3c2c0a66e657374656481a4646565709181a26572a0';

/** Whether this build writes and reads data as all others do. */
export const codecCheck = (codec: Codec): Check => ({
  name: 'codec',
  required: true,
  timeoutMs: 1_000,
  async run() {
    const written = hex(codec.encode(VALUE));
    const again = hex(codec.encode(codec.decode(Uint8Array.from(RECORDED.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))));
    if (written === RECORDED && again === RECORDED) return { verdict: 'ok', message: `${RECORDED.length / 2} bytes there and back` };
    const what = written === RECORDED ? 'read' : 'written';
    return {
      verdict: 'failed',
      code: 'internal',
      message: `what is stored is not ${what} as it was recorded`,
      fix: 'Install the package and its dependencies again.',
    };
  },
});

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
