import type { AnyAgent } from '../../index.ts';
import type { ActName } from '../act.ts';
import { DRILL_AGENTS } from '../agents/index.ts';
import { agentsFolder } from '../agents-folder.ts';
import type { Plan, Tier } from '../plan.ts';
import type { World, WorldOptions } from '../world.ts';
import { openProcesses } from './processes/open.ts';
import { openSimulation } from './simulation.ts';

export interface OpenOptions extends WorldOptions {
  readonly needs: readonly ActName[];
  readonly tier?: Tier;
  /** A folder of agent modules, besides those of the workloads. */
  readonly agents?: string;
  /** The same for a simulation. */
  readonly definitions?: readonly AnyAgent[];
}

/**
 * The world that a plan names, with the agents of the workloads.
 * @throws NexaError `unavailable`, and `invalid-definition` for agents that cannot be read; nothing is left of it then.
 */
export async function openWorld(kind: Plan['world'], { agents, definitions = [], ...options }: OpenOptions): Promise<World> {
  if (kind === 'simulation') return openSimulation({ ...options, agents: [...definitions, ...DRILL_AGENTS] });
  const folder = await agentsFolder(agents);
  try {
    const world = await openProcesses({ ...options, agents: folder.path });
    const close = world.close.bind(world);
    return Object.assign(world, {
      close: async () => {
        const left = await close();
        await folder.remove();
        return left;
      },
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
