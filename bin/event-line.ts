import { plain, type Style } from './output.ts';
import { record } from './shapes.ts';
import { timeText } from './units.ts';

/** One event of a node as it arrived: of this or another version, so nothing but its form is known. */
export interface SeenEvent {
  readonly event: string;
  readonly node: string;
  readonly atMs: number;
  readonly [more: string]: unknown;
}

const BAD = new Set(['quarantined', 'fenced', 'dead-letter', 'stopped', 'suspended']);
const GOOD = new Set(['activated', 'resumed']);

/** Time, node, what happened to whom, and the rest as name=value; one line that no terminal acts on. */
export function eventLine({ event, node, atMs, incarnation: _, n: __, agent, actor, member, ...rest }: SeenEvent, style: Style): string {
  const colour = BAD.has(event) ? style.bad : GOOD.has(event) ? style.good : style.warn;
  const words = [style.dim(timeText(atMs)), plain(node), colour(plain(event))];
  if (agent !== undefined) words.push(style.bold(nameOf(agent)));
  if (typeof actor === 'string') words.push(plain(actor));
  if (member !== undefined) {
    const { node: who, state, cordoned, suspended } = record(member);
    words.push(style.bold(shown(who)), shown(state));
    if (cordoned === true) words.push('cordoned');
    if (suspended === true) words.push('suspended');
  }
  for (const [name, value] of Object.entries(rest)) words.push(`${style.dim(`${plain(name)}=`)}${shown(value)}`);
  return words.join(' ');
}

/** `counter/alice` */
export function nameOf(agent: unknown): string {
  const { type, id } = record(agent);
  return plain(`${type}/${id}`);
}

const shown = (value: unknown): string => {
  const { code, message } = record(value);
  if (typeof code === 'string' && typeof message === 'string') return plain(`${code}: ${message}`);
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
};

/** Every node says that it sees a change of a member; told once. Remembers the last so many. */
export function onceEach(most = 1_000): (event: SeenEvent) => boolean {
  const seen = new Set<string>();
  return (event) => {
    if (event.event !== 'member') return true;
    const { node, incarnation, state, cordoned } = record(event.member);
    const key = `${node} ${incarnation} ${state} ${cordoned}`;
    if (seen.has(key)) return false;
    seen.add(key);
    const [oldest] = seen;
    if (seen.size > most && oldest !== undefined) seen.delete(oldest);
    return true;
  };
}
