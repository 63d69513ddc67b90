import type { AnyAgent } from '../../index.ts';
import { NexaError } from '../../src/errors.ts';
import type { ActName } from '../act.ts';
import { DRILL_AGENTS } from '../agents/index.ts';
import type { Plan, Tier } from '../plan.ts';
import type { World, WorldOptions } from '../world.ts';
import { openSimulation } from './simulation.ts';

export interface OpenOptions extends WorldOptions {
  readonly needs: readonly ActName[];
  readonly tier?: Tier;
  /** A folder of agent modules, besides those of the workloads. */
  readonly agents?: string;
  /** The same for a simulation. */
  readonly definitions?: readonly AnyAgent[];
}

/** The world that a plan names, with the agents of the workloads. @throws NexaError `unavailable`; nothing is left of it then. */
export async function openWorld(kind: Plan['world'], options: OpenOptions): Promise<World> {
  if (kind === 'simulation') return openSimulation({ ...options, agents: [...(options.definitions ?? []), ...DRILL_AGENTS] });
  throw new NexaError('unavailable', 'no world of processes');
}
