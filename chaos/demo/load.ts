import type { Bare } from './bare-nats.ts';

/** What one agent was asked for, and what the clients saw of it. */
export interface Tally {
  readonly id: string;
  /** Increments whose answer somebody received. */
  acknowledged: number;
  /** Increments that certainly did not happen, by their first answer; nobody asked again. */
  refused: number;
  /** Increments that nobody heard of again: they may have happened, once. */
  unknown: number;
}
export interface LoadReport {
  asks: number;
  repeats: number;
  readonly errors: Record<string, number>;
  readonly latenciesMs: number[];
}

const TRY_MS = 2_000;
/** A client gives a request up after this; it is then unknown, not lost. */
const PATIENCE_MS = 40_000;
const LATENCIES = 100_000;

/**
 * Clients that add one to random counters until told to stop. What certainly did not happen they let be; whatever else goes wrong,
 * they repeat under the same request id, so that every increment has one effect however often it was asked for.
 */
export async function load(options: {
  readonly clients: readonly Bare[];
  readonly perClient: number;
  readonly prefix: string;
  readonly tallies: readonly Tally[];
  readonly report: LoadReport;
  readonly stopped: () => boolean;
}): Promise<void> {
  const { clients, tallies, report, prefix } = options;
  const one = async (client: Bare, name: string): Promise<void> => {
    for (let n = 0; !options.stopped(); n++) {
      const tally = tallies[Math.floor(Math.random() * tallies.length)] as Tally;
      const requestId = `${name}-${n}`;
      const startedMs = performance.now();
      for (let tries = 0; ; tries++) {
        report.asks++;
        if (tries > 0) report.repeats++;
        const askedMs = performance.now();
        const answer = await client.request(
          `${prefix}.agent.counter.${tally.id}`,
          { type: 'add', by: 1 },
          { timeoutMs: TRY_MS, requestId },
        );
        if (answer.ok) {
          tally.acknowledged++;
          if (report.latenciesMs.length < LATENCIES) report.latenciesMs.push(performance.now() - askedMs);
          break;
        }
        const { code } = answer.error;
        report.errors[code] = (report.errors[code] ?? 0) + 1;
        if (tries === 0 && answer.error.definite === true) {
          tally.refused++;
          await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
          break;
        }
        if (performance.now() - startedMs > PATIENCE_MS) {
          tally.unknown++;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
      }
    }
  };
  await Promise.all(clients.flatMap((client, c) => Array.from({ length: options.perClient }, (_, k) => one(client, `c${c}.${k}`))));
}
