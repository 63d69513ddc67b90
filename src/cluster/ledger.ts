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

export function loadLedger(locals: LocalAgents): Ledger {
  let measured = new Map<string, { readonly busyMs: number; readonly rate: number }>();
  let lookedAtMs: number | undefined;
  let busy = 0;
  return {
    costOf: (key) => 1 + (measured.get(key)?.rate ?? 0) / BUSY_MS_PER_SECOND,
    get total() {
      return locals.count + busy / BUSY_MS_PER_SECOND;
    },
    look(nowMs) {
      const seconds = lookedAtMs === undefined ? 0 : (nowMs - lookedAtMs) / 1_000;
      lookedAtMs = nowMs;
      const next: typeof measured = new Map();
      busy = 0;
      for (const [key, busyMs] of locals.busy()) {
        const before = measured.get(key);
        // A restart, or an activation that came in between, counts from nothing.
        const since = before === undefined || before.busyMs > busyMs ? 0 : busyMs - before.busyMs;
        const rate = seconds <= 0 ? 0 : (before?.rate ?? 0) * (1 - WEIGHT) + (since / seconds) * WEIGHT;
        busy += rate;
        next.set(key, { busyMs, rate });
      }
      measured = next;
    },
  };
}
