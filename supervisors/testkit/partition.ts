import type { NetworkFaults } from '../../src/memory/network.ts';
import { launcherOf } from './sim-launcher.ts';

/** Cuts every way between nodes of different groups, and the store off from all but the largest. */
export function split(
  faults: NetworkFaults,
  { groups, names, home }: { readonly groups: readonly (readonly string[])[]; readonly names: readonly string[]; readonly home: string },
): void {
  faults.heal();
  const rest = names.filter((name) => !groups.some((group) => group.includes(name)));
  const sides = [...groups, rest].filter((side) => side.length > 0);
  const largest = sides.reduce((most, side) => (side.length > most.length ? side : most), sides[0] ?? []);
  for (const side of sides) {
    if (side === largest) continue;
    const others = [home, ...names].filter((name) => !side.includes(name));
    for (const name of side) {
      faults.cutStore(name);
      faults.cutStore(launcherOf(name));
      for (const other of others) {
        faults.cut(name, other);
        faults.cut(other, name);
      }
    }
  }
}
