// One list that several agents hold, each its own copy; all may change it at once, and in the end all have the same.
//   nexa spawn shopping-list kitchen --config '{"peers":["car"]}'
//   nexa spawn shopping-list car --config '{"peers":["kitchen"]}'
//   nexa tell shopping-list/kitchen '{"type":"add","item":"milk"}'
//   nexa ask shopping-list/car '{"type":"show"}'
import {
  type AgentContext,
  command,
  defineAgent,
  defineProtocol,
  type GossipInput,
  gossip,
  internal,
  orSet,
  pnCounter,
  replicaState,
  replicatedRecord,
} from 'nexa';
import { z } from 'zod';

const items = orSet<string>();
const trips = pnCounter();
const list = replicatedRecord({ items, trips });
const step = gossip(list);

const item = z.string().min(1).max(200);
const protocol = defineProtocol({
  type: 'shopping-list',
  version: 1,
  commands: {
    add: command({ item }),
    remove: command({ item }),
    shopped: command({}, { summary: 'All that was on the list has been bought.' }),
    show: command({}, { reply: z.object({ items: z.array(z.string()), trips: z.int() }) }),
    gossip: command({ from: z.string(), message: z.unknown() }, { summary: 'Between the copies.' }),
    round: internal({}),
  },
});
const config = z.object({ peers: z.array(z.string()).max(100) });
type Own = AgentContext<typeof protocol.commands, z.output<typeof config>, typeof step.initial, never>;

/** One step: what it wants to be sent is sent, what it wants to be kept becomes the state. */
function take(context: Own, input: GossipInput<typeof list.empty>) {
  const [state, effects] = step(context.state, input, context.clock.wallMs());
  for (const each of effects) {
    if (each.effect === 'send') context.agent(protocol, each.to).tell({ type: 'gossip', from: context.id, message: each.message });
    else context.log.warn({ from: each.from, code: each.error.code }, each.error.message);
  }
  return state === context.state ? undefined : { state };
}
const change = (context: Own, delta: Partial<typeof list.empty>) => take(context, { input: 'changed', delta: list.delta(delta) });

export const shoppingList = defineAgent({
  ...protocol,
  summary: 'A set and a counter, replicated: every copy may change them, also while it hears nothing of the others.',
  config,
  state: replicaState(list),
  initial: step.initial,
}).handle(
  {
    add: (context, { item }) => change(context, { items: items.add(context.state.value.items, item, context.id) }),
    remove: (context, { item }) => change(context, { items: items.remove(context.state.value.items, item) }),
    shopped: (context) => {
      const { value } = context.state;
      return change(context, { items: items.clear(value.items), trips: trips.add(value.trips, 1, context.id) });
    },
    show: ({ state: { value } }) => ({ reply: { items: [...items.elements(value.items)], trips: trips.value(value.trips) } }),
    gossip(context, { from, message }) {
      return context.config.peers.includes(from) ? take(context, { input: 'received', from, message }) : undefined;
    },
    round: (context) => take(context, { input: 'tick', peers: context.config.peers, draw: context.random.next() }),
  },
  {
    started(context) {
      context.every(1_000, { type: 'round' });
    },
  },
);
