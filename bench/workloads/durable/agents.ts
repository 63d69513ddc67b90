import { counter, counterProtocol, defineEventSourced, startNode } from 'nexa';
import { z } from 'zod';
import { inFlight } from '../../suite/in-flight.ts';
import type { Writer } from './writes.ts';

const SPAWNS = 64;
const within = { timeoutMs: 60_000 };

/** The counter as a fold of events: one small event a turn, and no snapshot within a run. */
const tally = defineEventSourced({
  ...counterProtocol,
  type: 'tally',
  events: { added: { by: z.int() } },
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
  snapshotEvery: { events: 10_000, bytes: 4_194_304 },
})
  .apply({ added: ({ value }, { by }) => ({ value: value + by }) })
  .handle({
    add: (_context, { by }) => ({ events: [{ type: 'added', by }], reply: (next) => next }),
    get: ({ state }) => ({ reply: state }),
  });

/** Asks agents of the same node to add one. Each answer counts those before: one that was lost or done twice is seen at once. */
const adding =
  (definition: typeof counter): Writer =>
  async ({ names, url }, lanes) => {
    const node = await startNode({ name: 'n1', cluster: names.cluster, nats: url, replicas: 3, agents: [tally] });
    const refs = Array.from({ length: lanes }, (_, lane) => node.agent(definition, `t${lane}`));
    const values = refs.map(() => 0);
    await inFlight(SPAWNS, lanes, (lane) => node.spawn(definition, { id: `t${lane}`, ...within }));
    return async (lane) => {
      const { value } = await (refs[lane] as (typeof refs)[number]).ask({ type: 'add', by: 1 }, within);
      if (value !== ++(values[lane] as number)) throw new Error(`${value} is the answer to addition ${values[lane]} of ${lane}`);
    };
  };

export const stateAgents = adding(counter);
/** It takes the same commands. */
export const eventAgents = adding(tally as unknown as typeof counter);
