// A folder of one's own agent types: nexa up --agents ./examples/agents
//   nexa spawn rate-limiter key-7 --config '{"perMinute":60,"burst":5}'
//   nexa ask rate-limiter/key-7 '{"type":"take"}'
import { command, defineAgent } from 'nexa';
import { z } from 'zod';

export const rateLimiter = defineAgent({
  type: 'rate-limiter',
  version: 1,
  summary: 'One token bucket: so many per minute, and bursts. It starts full, also after the loss of its node.',
  commands: {
    take: command(
      { tokens: z.int().positive().default(1) },
      {
        reply: z.object({ left: z.int() }),
        refusals: { 'too-many': z.object({ retryAfterMs: z.int().nullable() }) },
        summary: 'Takes tokens, or says when there are enough; null: never, the bucket is smaller.',
      },
    ),
  },
  config: z.object({ perMinute: z.int().positive(), burst: z.int().positive() }),
  state: z.object({ tokens: z.number(), atMs: z.number() }),
  initial: ({ config }) => ({ tokens: config.burst, atMs: 0 }),
  storage: 'memory',
}).handle({
  take({ state, config, clock }, { tokens }) {
    const atMs = clock.monotonicMs();
    const perMs = config.perMinute / 60_000;
    const filled = Math.min(config.burst, state.tokens + (atMs - state.atMs) * perMs);
    if (filled < tokens) {
      const retryAfterMs = tokens > config.burst ? null : Math.ceil((tokens - filled) / perMs);
      return { refused: 'too-many', details: { retryAfterMs } };
    }
    const left = filled - tokens;
    return { state: { tokens: left, atMs }, reply: { left: Math.floor(left) } };
  },
});
