import { NexaError } from '../errors.ts';
import { type Member, runs } from './member.ts';
import type { Placeable } from './placement.ts';

type Reason = { readonly message: string; readonly where: Readonly<Record<string, string>>; readonly fix: string };

/** What keeps an agent from every node, the first thing that rules out the last of them. */
function reason({ type, version, wish }: Placeable, members: readonly Member[]): Reason {
  const here = members.filter(({ state }) => state !== 'gone');
  const able = here.filter((member) => (runs(member, type) ?? 0) >= version);
  if (able.length === 0) {
    const known = here.some((member) => runs(member, type) !== undefined);
    return {
      message: known ? `no node runs version ${version} of its type, or a later one` : 'no node runs its type',
      where: { version: String(version) },
      fix: known
        ? 'Start a node with that version of the type; an older one cannot read its state.'
        : 'Start a node with --agents and its type.',
    };
  }
  if (wish.node !== undefined && !able.some(({ node }) => node === wish.node)) {
    return {
      message: `node ${wish.node} does not take it`,
      where: { node: wish.node },
      fix: 'Name a node that runs and has the type: see `nexa nodes`.',
    };
  }
  const named = able.filter(({ node }) => wish.node === undefined || wish.node === node);
  for (const [name, value] of Object.entries(wish.labels ?? {})) {
    if (named.some(({ labels }) => Object.hasOwn(labels, name) && labels[name] === value)) continue;
    return {
      message: `no node that could run it has the label ${name}=${value}`.slice(0, 300),
      where: { [`label ${name}`]: value, ...(wish.node === undefined ? {} : { node: wish.node }) },
      fix: 'Start a node with --labels and that label, or spawn it without.',
    };
  }
  const full = named.filter(
    ({ state, cordoned, suspended, suspect, admits }) => state === 'up' && !(cordoned || suspended || suspect || admits),
  );
  if (full.length > 0) {
    return {
      message: `${full.length === 1 ? `node ${full[0]?.node} takes` : `${full.length} nodes take`} no more agents, and no other may`,
      where: {
        node: full
          .slice(0, 8)
          .map(({ node }) => node)
          .join(' '),
      },
      fix: 'Start another node, or raise its admission limits: see `nexa nodes`.',
    };
  }
  return {
    message: 'no node may take it at the moment',
    where: wish.node === undefined ? {} : { node: wish.node },
    fix: 'See `nexa nodes`: one must be running, neither cordoned nor suspended, with a capacity above 0 and all its labels.',
  };
}

/** Nobody may take an agent, and why: `unavailable`, definite, naming the version, node or label that is missing. */
export function nobodyTakes(agent: Placeable, members: readonly Member[]): NexaError {
  const { message, where, fix } = reason(agent, members);
  return new NexaError('unavailable', message, { where: { type: agent.type, ...where }, fix, definite: true });
}
