import { NexaError } from '../src/errors.ts';
import type { CheckResult } from '../src/ports/check.ts';
import type { NodeSettings } from './config-schema.ts';

/** What a launcher tells the process that it starts: who it is, and that it has joined already. */
export interface WorkerSpec extends NodeSettings {
  readonly node: string;
  readonly incarnation: number;
  readonly revision: number;
  readonly session: string;
  readonly cordoned: boolean;
  readonly cluster: string;
  readonly nats: readonly string[];
  readonly replicas?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: number;
  /** A folder of modules with agent definitions. */
  readonly agents?: string;
  readonly logLevel: string;
  readonly ttlMs?: number;
  /** What the launcher read off the monitors of servers that it started itself. */
  readonly durability?: 'quorum' | 'fsync' | 'unverified';
  /** Of the start that the launcher began; later incarnations of the worker are part of it. */
  readonly boot?: string;
}

/** Over the channel between a launcher and its worker. */
export type WorkerNews =
  | { readonly news: 'check'; readonly result: CheckResult }
  | { readonly news: 'ready' }
  | { readonly news: 'failed'; readonly error: unknown };
export type LauncherOrder = { readonly order: 'stop' };

/** @throws NexaError `invalid-message`: somebody set NEXA_WORKER by hand. */
export function readWorkerSpec(text: string): WorkerSpec {
  try {
    const spec = JSON.parse(text) as WorkerSpec;
    if (typeof spec.node === 'string' && typeof spec.incarnation === 'number' && Array.isArray(spec.nats)) return spec;
  } catch {
    // Told below, in our own words.
  }
  throw new NexaError('invalid-message', 'NEXA_WORKER is set by a launcher only', {
    fix: 'Unset NEXA_WORKER, and start nodes with `nexa node`.',
  });
}
