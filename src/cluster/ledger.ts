import type { LocalAgents } from './local-agents.ts';

/** How much an agent costs: one for being there, and one more for each percent of a core that it keeps busy. */
export interface Ledger {
  costOf(key: string): number;
  /** Of all agents of this node. */
  readonly total: number;
  /** Measures anew; to be called every second or so. */
  look(nowMs: number): void;
}

/** Share of the newest measurement: a burst of one second alone moves nothing. */
const WEIGHT = 0.3;
const BUSY_MS_PER_SECOND = 10;
/** What keeps a core less busy than this is idle: most agents are, and nothing is remembered of them. */
const LEAST_MS_PER_SECOND = 0.01;

export function loadLedger(locals: LocalAgents): Ledger {
  /** Milliseconds a second. */
  let rates = new Map<string, number>();
  let lookedAtMs: number | undefined;
  let busy = 0;
  return {
    costOf: (key) => 1 + (rates.get(key) ?? 0) / BUSY_MS_PER_SECOND,
    get total() {
      return locals.count + busy / BUSY_MS_PER_SECOND;
    },
    look(nowMs) {
      const seconds = lookedAtMs === undefined ? 0 : (nowMs - lookedAtMs) / 1_000;
      lookedAtMs = nowMs;
      const next: typeof rates = new Map();
      busy = 0;
      for (const [key, busyMs] of locals.busy()) {
        const rate = seconds <= 0 ? 0 : (rates.get(key) ?? 0) * (1 - WEIGHT) + (busyMs / seconds) * WEIGHT;
        if (rate < LEAST_MS_PER_SECOND) continue;
        busy += rate;
        next.set(key, rate);
      }
      rates = next;
    },
  };
}
