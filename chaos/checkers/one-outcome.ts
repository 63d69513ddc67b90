import type { Asked } from '../history.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/**
 * M3: each ask has exactly one outcome, and has it within its deadline. `toleranceMs` is what the asker's own event loop may
 * have been late; `untilMs` is when the observation ended: an ask whose deadline lies beyond it may still be open.
 */
export function oneOutcome(asked: readonly Asked[], options: { readonly toleranceMs: number; readonly untilMs: number }): Verdict {
  return verdictOf(
    asked.flatMap(({ name, invokedAtMs, timeoutMs, settledAtMs }) => {
      const allowedMs = timeoutMs + options.toleranceMs;
      if (settledAtMs.length > 1) return [`${name} had ${settledAtMs.length} outcomes`];
      const [settled] = settledAtMs;
      if (settled === undefined) return invokedAtMs + allowedMs < options.untilMs ? [`${name} had no outcome within ${timeoutMs} ms`] : [];
      const tookMs = settled - invokedAtMs;
      return tookMs > allowedMs ? [`${name} had its outcome after ${tookMs.toFixed(1)} ms; its deadline was ${timeoutMs} ms`] : [];
    }),
  );
}
