import type { Finding } from '../src/ports/check.ts';

/** One node as it answered; undefined parts: it did not answer, or its release does not say. */
export interface SeenNode {
  readonly node: string;
  readonly state: string;
  readonly suspect: boolean;
  readonly version: string;
  readonly answered: boolean;
  readonly ready: boolean | undefined;
  readonly degraded: readonly string[];
  readonly lagMs: number | undefined;
  /** Its wall clock less ours, give or take half the round trip. */
  readonly aheadMs: number | undefined;
  readonly uncertainMs: number;
  readonly gaps: readonly { readonly message: string; readonly oneWay: boolean }[];
}
export interface SeenAgent {
  readonly type: string;
  readonly id: string;
  readonly state: string;
  readonly why: string | undefined;
}

const MOST_NAMED = 5;
const CLOCKS_MS = { warning: 500, failed: 60_000 } as const;
/** A node whose loop stands longer than its lease suspends. */
const LAG_MS = { warning: 500, failed: 4_500 } as const;

const some = (texts: readonly string[]): string =>
  `${texts.slice(0, MOST_NAMED).join('; ')}${texts.length > MOST_NAMED ? `; and ${texts.length - MOST_NAMED} more` : ''}`;
const running = (nodes: readonly SeenNode[]): readonly SeenNode[] => nodes.filter(({ state }) => state !== 'gone');

/** What the nodes and agents of a cluster, asked from outside, come to. Pure: one finding per question. */
export function diagnosis(nodes: readonly SeenNode[], agents: readonly SeenAgent[]): Readonly<Record<string, Finding>> {
  return {
    members: members(running(nodes)),
    links: links(nodes),
    readiness: readiness(running(nodes)),
    agents: unwell(agents),
    versions: versions(running(nodes)),
    clocks: clocks(running(nodes)),
    lag: lag(running(nodes)),
  };
}

function members(nodes: readonly SeenNode[]): Finding {
  if (nodes.length === 0)
    return { verdict: 'warning', message: 'no node is a member', fix: 'Start one with `nexa node`, or a whole cluster with `nexa up`.' };
  const silent = nodes
    .filter(({ answered }) => !answered)
    .map(({ node, suspect }) => `${node} does not answer${suspect ? ' and is not heard of' : ''}`);
  if (silent.length === 0) return { verdict: 'ok', message: `${nodes.length} node(s), all answer` };
  return {
    verdict: 'failed',
    message: some(silent),
    fix: 'Look at its process and its network. If it is dead, wait 10 s: it is declared gone and its agents move; start it again.',
  };
}

function links(nodes: readonly SeenNode[]): Finding {
  const said = nodes.flatMap(({ gaps }) => gaps);
  // What one node sees as half of a broken way, another may see whole.
  const oneWay = [...new Set(said.filter((gap) => gap.oneWay).map(({ message }) => message))];
  const known = new Set(oneWay.map((message) => message.split(', ')[1]));
  const others = [...new Set(said.filter((gap) => !gap.oneWay && !known.has(gap.message)).map(({ message }) => message))];
  if (oneWay.length + others.length === 0) return { verdict: 'ok', message: 'everybody hears everybody' };
  return {
    verdict: 'failed',
    message: some([...oneWay, ...others]),
    fix: 'Look at the routes between the NATS servers that these nodes are connected to, and at the rights of their accounts.',
  };
}

function readiness(nodes: readonly SeenNode[]): Finding {
  const unready = nodes.filter(({ ready }) => ready === false).map(({ node }) => `${node} is not ready`);
  const degraded = nodes
    .filter((node) => node.degraded.length > 0)
    .map(({ node, degraded }) => `${node} is degraded: ${degraded.join(', ')}`);
  if (unready.length + degraded.length === 0) return { verdict: 'ok', message: 'all are ready' };
  return {
    verdict: 'warning',
    message: some([...unready, ...degraded]),
    fix: 'Look at `subsystems` and `selfTest` in `nexa status <node>`.',
  };
}

function unwell(agents: readonly SeenAgent[]): Finding {
  const those = (state: string): readonly string[] =>
    agents
      .filter((agent) => agent.state === state)
      .map(({ type, id, why }) => `${type}/${id} is ${state}${why === undefined ? '' : ` (${why})`}`);
  const unplaced = those('unplaced');
  const quarantined = those('quarantined');
  if (unplaced.length + quarantined.length === 0)
    return { verdict: 'ok', message: `${agents.length} agents, none unplaced or quarantined` };
  const fixes = [
    ...(unplaced.length > 0 ? ['Start or uncordon a node that offers the type and the labels; see `nexa types` and `nexa nodes`.'] : []),
    ...(quarantined.length > 0 ? ['Find the cause with `nexa why <type>/<id>`, then spawn the agent again, or stop it.'] : []),
  ];
  return { verdict: 'failed', message: some([...unplaced, ...quarantined]), fix: fixes.join(' ') };
}

function versions(nodes: readonly SeenNode[]): Finding {
  const seen = [...new Set(nodes.map(({ version }) => version))].sort();
  if (seen.length < 2) return { verdict: 'ok', message: seen.length === 0 ? 'no node' : `all run ${seen[0]}` };
  const each = seen.map(
    (version) =>
      `${nodes
        .filter((node) => node.version === version)
        .map(({ node }) => node)
        .join(' ')} ${version}`,
  );
  return {
    verdict: 'warning',
    message: `several versions: ${some(each)}`,
    fix: 'Finish the update: neighbouring versions work together, and only those.',
  };
}

function clocks(nodes: readonly SeenNode[]): Finding {
  const known = nodes
    .flatMap(({ node, aheadMs, uncertainMs }) => (aheadMs === undefined ? [] : [{ node, aheadMs, uncertainMs }]))
    .sort((a, b) => a.aheadMs - b.aheadMs);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return { verdict: 'skipped', message: 'no node says what time it has' };
  const apartMs = Math.max(0, last.aheadMs - first.aheadMs - last.uncertainMs - first.uncertainMs);
  if (apartMs < CLOCKS_MS.warning) return { verdict: 'ok', message: `at most ${Math.round(last.aheadMs - first.aheadMs)} ms apart` };
  return {
    verdict: apartMs < CLOCKS_MS.failed ? 'warning' : 'failed',
    message: `the wall clock of ${last.node} is ${Math.round(last.aheadMs - first.aheadMs)} ms ahead of that of ${first.node}`,
    fix: 'Let the machines synchronise their clocks (chrony, ntpd, systemd-timesyncd).',
  };
}

function lag(nodes: readonly SeenNode[]): Finding {
  const known = nodes.flatMap(({ node, lagMs }) => (lagMs === undefined ? [] : [{ node, lagMs }])).sort((a, b) => b.lagMs - a.lagMs);
  const [worst] = known;
  if (worst === undefined) return { verdict: 'skipped', message: 'no node says how late its loop is' };
  if (worst.lagMs < LAG_MS.warning) return { verdict: 'ok', message: `at most ${worst.lagMs} ms` };
  const late = known
    .filter(({ lagMs }) => lagMs >= LAG_MS.warning)
    .map(({ node, lagMs }) => `the event loop of ${node} is ${lagMs} ms late`);
  return {
    verdict: worst.lagMs < LAG_MS.failed ? 'warning' : 'failed',
    message: some(late),
    fix: 'Find the handler that blocks the loop (event `slow-handler` with a large `heldLoopMs`), or give the node more CPU or less capacity.',
  };
}
