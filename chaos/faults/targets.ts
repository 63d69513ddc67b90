import type { SeededRandom } from '../../src/memory/random.ts';
import type { Place } from '../act.ts';
import type { Many, Target } from '../fault.ts';
import type { World } from '../world.ts';

/** In an order of the seed's. */
export function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.between(0, rest.length - 1), 1)[0] as T);
}

export const countOf = (many: Many, all: number): number => {
  if (many === 'all') return all;
  if (many === 'one') return Math.min(1, all);
  return many === 'minority' ? Math.max(Math.min(1, all), Math.floor((all - 1) / 2)) : Math.floor(all / 2) + 1;
};

/** Whether it means a server: by its kind, or as s1, s2 … */
export const isServer = (target: Target): boolean => target === 'server' || target.startsWith('store-') || /^s\d/.test(target);

const KINDS: readonly Target[] = ['node', 'server', 'store-leader', 'store-follower'];

/** The nodes it meets: so many, by the seed; or the one of that name. */
export function drawnNodes(
  target: Target,
  many: Many,
  { nodes, random }: { readonly nodes: readonly Place[]; readonly random: SeededRandom },
): Place[] {
  if (!KINDS.includes(target)) return [target];
  return shuffled(nodes, random).slice(0, countOf(many, nodes.length));
}

/** The servers it meets. Who leads is asked when it happens: nobody's seed knows that; while nobody leads, any server is as good. */
export async function drawnServers(
  target: Target,
  many: Many,
  { world, random }: { readonly world: World; readonly random: SeededRandom },
): Promise<Place[]> {
  if (!KINDS.includes(target)) return [target];
  const order = shuffled(world.servers, random);
  const wanted = countOf(many, order.length);
  if (target === 'server' || target === 'node') return order.slice(0, wanted);
  const leader = await world.leader();
  if (leader === undefined) return order.slice(0, wanted);
  const others = order.filter((each) => each !== leader);
  return (target === 'store-leader' ? [leader, ...others] : others).slice(0, wanted);
}
