// What large numbers of agents are: spawned by the first message to them, small, and idle most of the time.
import { type AgentRef, type AnyAgent, command, defineAgent, type NexaNode } from 'nexa';
import { z } from 'zod';
import { inFlight } from '../../suite/in-flight.ts';

const visits = z.int();
const spec = {
  version: 1,
  commands: { visit: command({}, { reply: visits }) },
  state: visits,
  initial: 0,
};
const next = ({ state }: { readonly state: number }) => ({ state: state + 1, reply: state + 1 });

/** By their storage. The durable ones are put away but for 500 of them. */
export const visitors: Readonly<Record<string, AnyAgent & { readonly commands: typeof spec.commands }>> = {
  memory: defineAgent({ ...spec, type: 'bench-volatile', storage: 'memory', activation: { onDemand: true } }).handle({ visit: next }),
  durable: defineAgent({ ...spec, type: 'bench-durable', activation: { onDemand: true, mostActive: 500 } }).handle({ visit: next }),
};
const within = { timeoutMs: 30_000 };

/** Each of them once, so many at a time. Says how many had been visited so often before, and how long each took. */
export async function visitAll(
  node: NexaNode,
  storage: string,
  ids: readonly string[],
  given: { readonly before: number; readonly atOnce: number },
) {
  const protocol = visitors[storage] as (typeof visitors)[string];
  const tookMs: number[] = [];
  let right = 0;
  await inFlight(given.atOnce, ids.length, async (index) => {
    const ref: AgentRef<typeof spec.commands> = node.agent(protocol, ids[index] as string);
    const fromMs = performance.now();
    if ((await ref.ask({ type: 'visit' }, within)) === given.before + 1) right++;
    tookMs.push(performance.now() - fromMs);
  });
  return { right, tookMs };
}
