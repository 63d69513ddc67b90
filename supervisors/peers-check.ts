import type { System } from '../src/actor/system.ts';
import type { Cluster } from '../src/cluster/cluster.ts';
import { endpointRef } from '../src/cluster/endpoint.ts';
import type { Check } from '../src/ports/check.ts';

const PING_MS = 500;
/** Of a large cluster only so many are pinged at a start. */
const MOST_PINGED = 64;
const MOST_NAMED = 5;

/**
 * Whether messages go to the other members and back. Who is silent at this moment may be about to be declared gone: a warning, not a failure.
 * Afterwards `status` shows who hears whom.
 */
export const peersCheck = ({ system, cluster }: { readonly system: System; readonly cluster: Cluster }): Check => ({
  name: 'peers',
  required: false,
  timeoutMs: PING_MS + 500,
  async run() {
    const peers = cluster.members.all().filter(({ node, state }) => state === 'up' && node !== cluster.self.node);
    const pinged = peers.slice(0, MOST_PINGED);
    const answers = await Promise.all(
      pinged.map(({ node, incarnation }) =>
        endpointRef(system, node, incarnation)
          .ask({ type: 'ping' }, { timeoutMs: PING_MS })
          .then(
            () => undefined,
            () => node,
          ),
      ),
    );
    const silent = answers.filter((node) => node !== undefined);
    if (silent.length === 0)
      return {
        verdict: 'ok',
        message: peers.length === 0 ? 'nobody else is up' : `${pinged.length} of ${peers.length} pinged, all answer`,
      };
    const named = `${silent.slice(0, MOST_NAMED).join(', ')}${silent.length > MOST_NAMED ? ` and ${silent.length - MOST_NAMED} more` : ''}`;
    return {
      verdict: 'warning',
      message: `no answer from ${named}`,
      fix: 'Run `nexa doctor`: it says who hears whom.',
      where: { nodes: silent.slice(0, MOST_NAMED).join(' ') },
    };
  },
});
