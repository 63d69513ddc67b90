import type { SeenEvent } from './event-line.ts';
import { plain, type Style, stateText, table } from './output.ts';
import type { AgentShape, NodeShape } from './shapes.ts';
import { timeText } from './units.ts';

/** What is seen of a cluster at one instant. */
export interface View {
  readonly atMs: number;
  readonly nodes: readonly NodeShape[];
  readonly agents: readonly AgentShape[];
}
/** Something that is not as it was: `before` is null for what is new, `after` for what is there no more. */
export type Change =
  | { readonly atMs: number; readonly node: string; readonly before: NodeShape | null; readonly after: NodeShape | null }
  | { readonly atMs: number; readonly agent: string; readonly before: AgentShape | null; readonly after: AgentShape | null };

const nodeState = ({ incarnation, state, suspended, cordoned }: NodeShape): string =>
  JSON.stringify([incarnation, state, suspended, cordoned]);
const agentState = ({ node, epoch, state, restarts }: AgentShape): string => JSON.stringify([node, epoch, state, restarts]);
const agentName = ({ type, id }: AgentShape): string => `${type}/${id}`;

/** What changed from one view to the next: states, places, epochs, restarts; not what only counts. */
export function changes(before: View | undefined, after: View): readonly Change[] {
  const { atMs } = after;
  return [
    ...compared(before?.nodes ?? [], after.nodes, ({ node }) => node, nodeState).map(
      ([node, was, is]): Change => ({ atMs, node, before: was, after: is }),
    ),
    ...compared(before?.agents ?? [], after.agents, agentName, agentState).map(
      ([agent, was, is]): Change => ({ atMs, agent, before: was, after: is }),
    ),
  ];
}

function compared<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string,
  stateOf: (one: T) => string,
): readonly (readonly [name: string, before: T | null, after: T | null])[] {
  const was = new Map(before.map((one) => [nameOf(one), one]));
  const changed: [string, T | null, T | null][] = [];
  for (const one of after) {
    const name = nameOf(one);
    const previous = was.get(name);
    was.delete(name);
    if (previous === undefined || stateOf(previous) !== stateOf(one)) changed.push([name, previous ?? null, one]);
  }
  for (const [name, one] of was) changed.push([name, one, null]);
  return changed;
}

/** `12:03:04.123 agent counter/alice n2 running → n1 running epoch 34`. */
export function changeLine(change: Change, style: Style): string {
  const time = style.dim(timeText(change.atMs));
  if ('node' in change) {
    const state = (node: NodeShape): string => nodeText(node, style);
    const pid = change.after?.pid === undefined || change.after.pid === null ? '' : ` pid ${change.after.pid}`;
    return `${time} node ${style.bold(plain(change.node))} ${arrow(change, state)}${pid}`;
  }
  const state = ({ node, state: now }: AgentShape): string => `${node === null ? '' : `${plain(node)} `}${stateText(now, style)}`;
  const { after } = change;
  const more = after === null ? '' : ` epoch ${after.epoch ?? '-'}${after.restarts ? ` restarts ${after.restarts}` : ''}`;
  return `${time} agent ${style.bold(plain(change.agent))} ${arrow(change, state)}${more}`;
}

/** Its state, and whatever is not as it should be. */
function nodeText({ state, ready, degraded, suspended, cordoned }: NodeShape, style: Style): string {
  const marks = [
    ...(suspended ? ['suspended'] : []),
    ...(cordoned ? ['cordoned'] : []),
    ...(ready === false && state === 'running' ? ['not ready'] : []),
    ...(degraded === true ? ['degraded'] : []),
  ];
  return [stateText(state, style), ...marks.map((mark) => style.warn(mark))].join(' ');
}

function arrow<T>({ before, after }: { readonly before: T | null; readonly after: T | null }, state: (one: T) => string): string {
  const words = [before, after].flatMap((one) => (one === null ? [] : [state(one)]));
  return after === null ? `${words[0]} → -` : words.join(' → ');
}

export interface Painted {
  readonly view: View;
  readonly cluster: string;
  /** Lines of what happened, newest last. */
  readonly events: readonly SeenEvent[];
  /** Why there is nothing newer. */
  readonly problem: string | undefined;
}
/** Agents that want to be looked at come first. */
const ORDER: readonly string[] = ['quarantined', 'unplaced', 'suspended', 'starting', 'running', 'passive', 'stopped'];

/** One screen, at most `rows` lines: nodes, agents as far as there is room, and what happened last. */
export function paint(
  { view, cluster, events, problem }: Painted,
  { rows, style, lineOf }: { readonly rows: number; readonly style: Style; readonly lineOf: (event: SeenEvent) => string },
): readonly string[] {
  const states = new Map<string, number>();
  for (const { state } of view.agents) states.set(state, (states.get(state) ?? 0) + 1);
  const counts = [...states].map(([state, count]) => `${count} ${stateText(state, style)}`).join(', ');
  const up = view.nodes.filter(({ state }) => state !== 'gone').length;
  const head = [
    `${style.bold(plain(cluster))}  ${timeText(view.atMs)}  ${up} nodes, ${view.agents.length} agents${counts === '' ? '' : `: ${counts}`}`,
    ...(problem === undefined ? [] : [style.bad(plain(problem))]),
    '',
  ];
  const nodes = nodesTable(view.nodes, style).split('\n');
  const room = Math.max(0, rows - head.length - 2);
  const shownEvents = Math.min(events.length, Math.max(3, Math.floor(room / 4)));
  const shownNodes = nodes.slice(0, Math.max(2, Math.floor((room - shownEvents) / 2)));
  const left = room - shownEvents - shownNodes.length;
  const agents = agentsTable(view.agents, Math.max(0, left - 1), style)
    .split('\n')
    .slice(0, Math.max(0, left));
  const last = shownEvents === 0 ? [] : events.slice(-shownEvents).map(lineOf);
  return [...head, ...shownNodes, '', ...agents, '', ...last].slice(0, rows);
}

const nodesTable = (nodes: readonly NodeShape[], style: Style): string =>
  table(
    ['node', 'state', 'agents', 'lag', 'pid', 'version', 'labels'],
    [...nodes]
      .sort((a, b) => Number(a.state === 'gone') - Number(b.state === 'gone'))
      .map((node) => [
        plain(node.node),
        nodeText(node, style),
        `${node.agents ?? '-'}`,
        node.lagMs === null ? '-' : `${node.lagMs}ms`,
        `${node.pid ?? '-'}`,
        plain(node.version),
        plain(
          Object.entries(node.labels)
            .map(([name, label]) => `${name}=${label}`)
            .join(','),
        ),
      ]),
    style,
  );

function agentsTable(agents: readonly AgentShape[], most: number, style: Style): string {
  const urgency = ({ state }: AgentShape): number => Math.max(0, ORDER.indexOf(state));
  const sorted = [...agents].sort((a, b) => urgency(a) - urgency(b) || (b.mailbox ?? 0) - (a.mailbox ?? 0));
  return table(
    ['agent', 'state', 'node', 'epoch', 'mailbox', 'restarts'],
    sorted
      .slice(0, most)
      .map(({ type, id, state, node, epoch, mailbox, restarts }) => [
        plain(`${type}/${id}`),
        stateText(state, style),
        plain(node ?? '-'),
        `${epoch ?? '-'}`,
        `${mailbox ?? '-'}`,
        `${restarts ?? '-'}`,
      ]),
    style,
  );
}
