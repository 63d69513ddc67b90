import { readMonitor } from './monitor.ts';

/**
 * What the servers' monitors say about when a write reaches the disk. `fsync` only if every one of them says so; `unverified` if
 * one cannot be read or keeps nothing: what was not seen is not promised.
 */
export async function readDurability(
  monitors: readonly { readonly host?: string; readonly port: number }[],
  options: { readonly timeoutMs: number },
): Promise<'quorum' | 'fsync' | 'unverified'> {
  if (monitors.length === 0) return 'unverified';
  const seen = await Promise.all(
    monitors.map((monitor) => readMonitor('/varz', monitor, options.timeoutMs).then(durabilityOf, () => 'unverified' as const)),
  );
  if (seen.includes('unverified')) return 'unverified';
  return seen.every((each) => each === 'fsync') ? 'fsync' : 'quorum';
}

function durabilityOf(varz: unknown): 'quorum' | 'fsync' | 'unverified' {
  const config = (varz as { jetstream?: { config?: { store_dir?: unknown; sync_always?: unknown } } } | null)?.jetstream?.config;
  if (typeof config?.store_dir !== 'string') return 'unverified';
  return config.sync_always === true ? 'fsync' : 'quorum';
}
