import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Computes on one core for minutes. */
const SIMULATION = /\/test\/simulation\/simulation\.test\.ts$/;
/** A minute and more each, one after the other in one file. */
const DRILLS = /\/test\/live\/drills\.test\.ts$/;

/** Have servers and processes of their own to wait for. */
const WAITING = /\/test\/(bin|nats|nats-server|supervisors)\//;

const rank = ({ moduleId, project }: TestSpecification): number => {
  if (SIMULATION.test(moduleId)) return 0;
  if (DRILLS.test(moduleId)) return 1;
  if (project.name === 'alone') return 2;
  return WAITING.test(moduleId) ? 3 : 4;
};

/**
 * What takes longest is begun first, so that nothing long is left over at the end: the simulation and the drills, beside them what
 * waits, and the many short files last. Within each: as Vitest does, those that failed, then by how long they took the last time.
 */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
