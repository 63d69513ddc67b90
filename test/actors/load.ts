import type { ProcessLoad } from '../../actors/index.ts';

/** What a process uses that uses next to nothing. */
export const quietLoad: ProcessLoad = {
  cpu: () => 0.25,
  rssBytes: () => 1_000,
  heapBytes: () => 500,
  externalBytes: () => 10,
  memoryLimitBytes: () => 4_000,
  heapLimitBytes: () => 2_000,
  lag: () => ({ p50Ms: 1, p99Ms: 2, maxMs: 5 }),
  nats: () => ({ messagesIn: 1, messagesOut: 2, bytesIn: 30, bytesOut: 40 }),
};

/** A node that takes every order and has nothing to move. */
export const quietControls = {
  cordon: async (): Promise<void> => undefined,
  drain: async () => ({ moved: 0, left: 0, lostMemory: 0, blocked: null }),
};

export const quietReadiness = {
  boot: 'boot',
  ready: true,
  degraded: [],
  subsystems: { transport: 'ok', store: 'ok', lease: 'ok', copies: 'ok', recovery: 'ok', 'self-test': 'ok' },
  selfTest: { verdict: 'ok', tookMs: 1, checks: [] },
} as const;
