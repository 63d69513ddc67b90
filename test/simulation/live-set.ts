import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import type { SimWorld } from '../../supervisors/testkit/world.ts';
import { upNodes } from './loads/load.ts';

/** Put away, and at its node all the same. */
const isPassive = (locals: LocalAgents, key: string): boolean =>
  locals.views().some(({ type, id, state }) => state === 'passive' && `${type}.${id}` === key);

/** What the records of every node say is what runs, where they say, once. */
export function registryIsLiveSet(world: SimWorld): readonly string[] {
  const up = upNodes(world).flatMap(({ member }) => (member === undefined ? [] : [member.cluster]));
  return up.flatMap(({ self, places, locals }) => [
    ...[...places.entries()].flatMap(({ key, value }) => {
      const acting = up.filter((cluster) => cluster.locals.acts(key) || isPassive(cluster.locals, key)).map((cluster) => cluster.self.node);
      const due = value.desired !== 'running' ? 'nobody' : (value.owner?.node ?? 'nobody, though it is to run');
      const runs = acting.length === 0 ? 'nobody' : acting.join(' and ');
      return runs === due ? [] : [`${key}: ${self.node} reads that ${due} runs it; ${runs} does`];
    }),
    ...locals
      .views()
      .flatMap(({ type, id }) =>
        places.get(`${type}.${id}`) === undefined ? [`${type}/${id} runs on ${self.node} without a record`] : [],
      ),
  ]);
}

/** What each node takes the members to be, where they differ. */
export function disagreements(world: SimWorld): readonly string[] {
  const views = new Map<string, string[]>();
  for (const { name, member } of upNodes(world)) {
    const seen = (member?.cluster.members.all() ?? []).filter(({ state }) => state !== 'gone');
    const view = seen
      .map(({ node, incarnation, state }) => `${node}.${incarnation} ${state}`)
      .sort()
      .join(', ');
    views.set(view, [...(views.get(view) ?? []), name]);
  }
  if (views.size <= 1) return [];
  return [`the nodes disagree on the members: ${[...views].map(([view, nodes]) => `${nodes.join(', ')} see [${view}]`).join('; ')}`];
}

export const notUp = (world: SimWorld, names: readonly string[]): readonly string[] => {
  const up = new Set(upNodes(world).map(({ name }) => name));
  return names.filter((name) => !up.has(name)).map((name) => `${name} is not up after the heal`);
};
