import { launcherOf } from '../../supervisors/testkit/sim-launcher.ts';
import type { SimWorld } from '../../supervisors/testkit/world.ts';
import { type Act, type Place, STORE } from '../act.ts';

type LinkFaults = SimWorld['network']['faults']['link'];
type WayAct = Extract<Act, { readonly act: 'cut' | 'mend' | 'link-down' | 'link-up' | 'loss' | 'delay' | 'strand' | 'unstrand' }>;

/** The ways between the places of a simulated cluster: what is cut, slowed or lossy, as acts say it. */
export interface SimulatedWays {
  act(act: WayAct): void;
  heal(): void;
}

export function simulatedWays({ network: { faults } }: SimWorld): SimulatedWays {
  const cuts = new Map<string, readonly [from: Place, to: Place]>();
  const links = new Map<string, Partial<LinkFaults>>();
  const nameOf = (from: Place, to: Place): string => `${from} ${to}`;

  /** A node's launcher is a process on the same machine: it loses the same way to the store. */
  const onMachine = (node: Place, run: (name: string) => void): void => {
    run(node);
    run(launcherOf(node));
  };
  const cut = (from: Place, to: Place): void => {
    if (to === STORE) onMachine(from, (name) => faults.cutStore(name));
    else if (from === STORE) onMachine(to, (name) => faults.cutAnswers(name));
    else faults.cut(from, to);
  };
  const again = (wanted: (from: Place, to: Place) => boolean): void => {
    for (const [from, to] of cuts.values()) if (wanted(from, to)) cut(from, to);
  };
  const mend = (from: Place, to: Place): void => {
    if (!cuts.delete(nameOf(from, to))) return;
    if (from !== STORE && to !== STORE) return faults.mend(from, to);
    const node = from === STORE ? to : from;
    onMachine(node, (name) => faults.mendStore(name));
    again((a, b) => (a === STORE && b === node) || (a === node && b === STORE));
  };
  /** What is healed at once for a name is its cuts too. */
  const reconnect = (place: Place): void => {
    onMachine(place, (name) => faults.heal(name));
    again((from, to) => from === place || to === place);
  };
  const set = (from: Place, to: Place, own: Partial<LinkFaults>): void => {
    const merged = { ...links.get(nameOf(from, to)), ...own };
    links.set(nameOf(from, to), merged);
    faults.setLink(from, to, merged);
  };
  const unset = (from: Place, to: Place, field: keyof LinkFaults): void => {
    const { [field]: _gone, ...rest } = links.get(nameOf(from, to)) ?? {};
    links.set(nameOf(from, to), rest);
    faults.setLink(from, to, rest);
  };

  return {
    act(act) {
      switch (act.act) {
        case 'cut':
          cuts.set(nameOf(act.from, act.to), [act.from, act.to]);
          return cut(act.from, act.to);
        case 'mend':
          return mend(act.from, act.to);
        case 'link-down':
          return onMachine(act.place, (name) => faults.isolate(name));
        case 'link-up':
          return reconnect(act.place);
        case 'strand':
          return faults.strand(act.node);
        case 'unstrand':
          return reconnect(act.node);
        case 'loss':
          return act.percent === 0 ? unset(act.from, act.to, 'drop') : set(act.from, act.to, { drop: act.percent / 100 });
        case 'delay':
          return act.ms + act.jitterMs === 0
            ? unset(act.from, act.to, 'delayMs')
            : set(act.from, act.to, { delayMs: [act.ms, act.ms + act.jitterMs] });
      }
    },
    heal() {
      for (const name of links.keys()) faults.setLink(...(name.split(' ') as [Place, Place]), undefined);
      links.clear();
      cuts.clear();
      faults.heal();
    },
  };
}
