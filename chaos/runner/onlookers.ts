import type { Client } from '../../src/client.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { type Audit, auditStores } from '../../supervisors/audit.ts';
import type { Heard, Placement } from '../run.ts';
import type { Link, World } from '../world.ts';

/** What is written down of a cluster while it is drilled: what nodes tell, where agents are, what the stores hold. */
export interface Onlookers {
  readonly events: readonly Heard[];
  readonly placements: readonly Placement[];
  readonly audit: Audit;
  /** Where the agents are now; nothing is added when nobody can say. */
  place(): Promise<void>;
  /** What could not be kept. */
  readonly omitted: readonly string[];
  close(): Promise<void>;
}

const MOST_EVENTS = 200_000;
const MOST_PLACEMENTS = 2_200;
const MOST_AGENTS = 10_000;
/** What was just looked at need not be looked at again. */
const FRESH_MS = 100;

/** @throws NexaError `disconnected` */
export async function openOnlookers(world: World, clock: Clock): Promise<Onlookers> {
  const link: Link = await world.link('onlooker');
  const { client } = link;
  const events: Heard[] = [];
  const placements: Placement[] = [];
  const omitted = new Set<string>();
  const audit = auditStores({ stores: link.stores, cluster: world.cluster, clock });
  const cancel = client.cluster.events({}, (event) => {
    if (events.length < MOST_EVENTS) events.push({ atMs: clock.monotonicMs(), event });
    else omitted.add(`more than ${MOST_EVENTS} events were told`);
  });
  return {
    events,
    placements,
    audit,
    get omitted() {
      return [...omitted];
    },
    async place() {
      const last = placements.at(-1);
      if (last !== undefined && clock.monotonicMs() - last.atMs < FRESH_MS) return;
      if (placements.length >= MOST_PLACEMENTS) return void omitted.add(`more than ${MOST_PLACEMENTS} looks at where agents are`);
      const agents = await listed(client);
      if (agents !== undefined) placements.push({ atMs: clock.monotonicMs(), agents });
    },
    async close() {
      cancel();
      audit.close();
      await link.close();
    },
  };
}

async function listed(client: Client): Promise<Placement['agents'] | undefined> {
  try {
    const rows = await client.cluster.list({ limit: MOST_AGENTS });
    return rows.map(({ type, id, node, epoch }) => ({ agent: `${type}/${id}`, node, epoch }));
  } catch {
    // In the middle of a fault nobody may be there to ask.
    return undefined;
  }
}
