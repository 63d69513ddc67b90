import type { Run } from '../run.ts';

/** What nodes told while the run went on, counted; at least so often, since events are told at most once. */
export interface Seen {
  /** Activations that ended because a newer epoch owned their agent. */
  readonly fenced: number;
  /** Nodes that lost their lease for a while. */
  readonly suspended: number;
  readonly quarantined: number;
  /** Agents that moved, by the cause that was told. */
  readonly moves: Readonly<Record<string, number>>;
  /** By reason (docs/events.md); `late` are messages that arrived again, or out of order. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Processes that ended, by how: `s1 SIGKILL`. */
  readonly exits: Readonly<Record<string, number>>;
}

export function seenIn({ events, exits }: Pick<Run, 'events' | 'exits'>): Seen {
  const of = (kind: string) => events.flatMap(({ event }) => (event.event === kind ? [event] : []));
  return {
    fenced: of('fenced').length,
    suspended: of('suspended').length,
    quarantined: of('quarantined').length,
    moves: counted(of('moved').map(({ cause }) => String(cause))),
    deadLetters: counted(of('dead-letter').map(({ reason }) => String(reason))),
    exits: counted(exits.map(({ place, code, signal }) => `${place} ${signal ?? `exit ${code}`}`)),
  };
}

function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const times = new Map<string, number>();
  for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
  return Object.fromEntries([...times].sort(([a], [b]) => (a < b ? -1 : 1)));
}
