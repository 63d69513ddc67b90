import { z } from 'zod';
import { command, defineAgent } from '../../index.ts';
import type { MemberNode } from '../../supervisors/member.ts';
import type { calmCluster } from './cluster.ts';

/** Writes down what it was told, in the order in which it was; `tried` is what its handler was given, stored or not. */
export function ledger(type: string, more: object = {}) {
  const tried: string[] = [];
  const agent = defineAgent({
    type,
    version: 1,
    commands: {
      write: command({ entry: z.string() }),
      fail: command({ entry: z.string() }),
      deny: command({}, { refusals: { no: z.object({}) } }),
      read: command({}, { reply: z.array(z.string()) }),
    },
    state: z.array(z.string()),
    initial: [],
    ...more,
  }).handle({
    write({ state }, { entry }) {
      tried.push(entry);
      return { state: [...state, entry] };
    },
    fail(_context, { entry }) {
      tried.push(entry);
      throw new Error(`${entry} cannot be written`);
    },
    deny: () => ({ refused: 'no', details: {} }),
    read: ({ state }) => ({ reply: [...state] }),
  });
  return { agent, tried };
}

type World = Awaited<ReturnType<typeof calmCluster>>;
/** Tells from a node; time has to be moved for it to come to something. */
export const telling = (
  member: MemberNode,
  agent: string,
  message: object,
  options: { readonly messageId?: string; readonly timeoutMs?: number } = {},
) => {
  const ref = member.system.unsafeRef<never>(`nexa:${agent}`) as unknown as {
    tellDurably(message: object, options: object): Promise<void>;
  };
  return ref.tellDurably(message, { timeoutMs: 5_000, ...options });
};
export const tell = (cluster: World, from: string, agent: string, message: object, options: { readonly messageId?: string } = {}) =>
  cluster.world.until(telling(cluster.member(from), agent, message, options));
export const write = (cluster: World, from: string, agent: string, entry: string, messageId = entry) =>
  tell(cluster, from, agent, { type: 'write', entry }, { messageId });
export const read = async (cluster: World, from: string, agent: string) => (await cluster.ask(from, agent, { type: 'read' })) as string[];
