import type { Place } from '../../../../act.ts';
import { changesInTurn } from './in-turn.ts';
import type { ActOf, Limit, Machines } from './limit.ts';

/** Ends what was set; the process may have ended long before. */
export type Undo = () => Promise<void>;

/**
 * A limit that is set on processes, one at a time: it belongs to a place, is set on whoever runs there, and on who comes after.
 * @param of what an act asks for: null ends it.
 * @param set sets it on a process.
 */
export function onProcesses<Name extends 'descriptors' | 'memory' | 'cpu'>(
  machines: Pick<Machines, 'pid'>,
  name: Name,
  kind: {
    readonly cannot: string | undefined;
    readonly of: (act: ActOf<Name>) => number | null;
    readonly set: (pid: number, value: number, place: Place) => Promise<Undo>;
  },
): Limit {
  const wanted = new Map<Place, number>();
  const undos = new Map<Place, Undo>();
  const inTurn = changesInTurn();
  const settle = async (place: Place): Promise<void> => {
    const undo = undos.get(place);
    undos.delete(place);
    await undo?.();
    const value = wanted.get(place);
    const pid = machines.pid(place);
    if (value !== undefined && pid !== undefined) undos.set(place, await kind.set(pid, value, place));
  };
  const end = async (): Promise<void> => {
    wanted.clear();
    for (const place of [...undos.keys()]) await settle(place);
  };
  return {
    acts: [name],
    cannot: () => kind.cannot,
    apply: (act) =>
      inTurn(async () => {
        if (act.act === 'heal') return end();
        if (act.act !== name || !('node' in act)) return;
        const value = kind.of(act as ActOf<Name>);
        if (value === null) wanted.delete(act.node);
        else wanted.set(act.node, value);
        await settle(act.node);
      }),
    started(place) {
      if (!wanted.has(place)) return;
      // One that has ended again by now has no limits to be set.
      inTurn(() => settle(place)).catch(() => undefined);
    },
    close: () => inTurn(end),
  };
}
