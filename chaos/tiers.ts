import { toNexaError } from '../src/errors.ts';
import { rawEnvironment } from '../supervisors/config.ts';
import type { Tier } from './plan.ts';
import { chooseTier } from './worlds/processes/net/choose-tier.ts';

export interface TierRow {
  readonly tier: Tier;
  /** What it is, in one sentence. */
  readonly about: string;
  /** Why this machine lacks it; null: it has it. */
  readonly lacks: string | null;
}

const ABOUT: Readonly<Record<Tier, string>> = {
  namespaces: 'network namespaces of this user, no root: cuts and loss meet real packets',
  sudo: 'the same after sudo without a password',
  proxies: 'a TCP proxy for each link, no privileges: connections are cut, not packets',
};

/** Each tried out, best first. What one needs may be fetched into the project's own cache. @throws NexaError `cancelled` by `signal`. */
export async function tiers(signal?: AbortSignal): Promise<readonly TierRow[]> {
  const rows: TierRow[] = [];
  for (const tier of ['namespaces', 'sudo', 'proxies'] as const) {
    try {
      await chooseTier({ env: rawEnvironment(), ...(signal === undefined ? {} : { signal }) }, tier);
      rows.push({ tier, about: ABOUT[tier], lacks: null });
    } catch (thrown) {
      const { code, message } = toNexaError(thrown, 'unavailable');
      if (code === 'cancelled') throw thrown;
      rows.push({ tier, about: ABOUT[tier], lacks: message });
    }
  }
  return rows;
}
