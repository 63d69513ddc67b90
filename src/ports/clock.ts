import type { Cancel } from '../actor/ref.ts';

export interface Clock {
  /** Never goes back; only differences mean something. Leases, deadlines, intensity. */
  monotonicMs(): number;
  /** Unix time, may jump. Reminders, logs. */
  wallMs(): number;
  /** Since boot, suspends included; coarse. */
  bootMs(): number;
  after(delayMs: number, run: () => void): Cancel;
}
