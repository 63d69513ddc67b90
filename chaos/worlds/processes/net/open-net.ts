import { seededRandom } from '../../../../src/memory/random.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { Environment } from '../../../../src/programs/cache.ts';
import type { Net } from '../net.ts';
import type { Owner } from '../owner.ts';
import type { Choice } from './choose-tier.ts';
import { NamespaceNet } from './namespaces.ts';
import { ProxyNet } from './proxies.ts';

export interface NetOptions extends Pick<Choice, 'tier' | 'tools'> {
  /** Of what is drawn at links. */
  readonly seed: number;
  readonly clock: Clock;
  readonly env: Environment;
  /** An empty folder of the net's own. */
  readonly folder: string;
  /** The plan has delays or slices: see {@link NamespaceNet}. Proxies always have them. */
  readonly proxied: boolean;
  /** The user whom programs at the places run as where this process is root; see `sudo`. */
  readonly as?: Owner;
}

/** The net of the chosen tier, in the process that was started by the choice's `enter`. @throws NexaError `unavailable` */
export async function openNet({ tier, tools, clock, ...options }: NetOptions): Promise<Net> {
  if (tier === 'proxies' || tools === undefined) return new ProxyNet({ clock, random: seededRandom(options.seed).fork('net') });
  return NamespaceNet.open({ ...options, clock, tier, tools });
}
