import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Computes on one core for minutes. */
const SIMULATION = /\/test\/simulation\/simulation\.test\.ts$/;
/** Mostly wait: for elections, leases and processes of their own. */
const WAITING = /\/test\/(bin|chaos|docs|live|nats|nats-server|package|supervisors)\//;

const rank = ({ moduleId }: TestSpecification): number => (SIMULATION.test(moduleId) ? 0 : WAITING.test(moduleId) ? 1 : 2);

/**
 * What takes longest is begun first, so that nothing long is left over at the end: the simulation, beside it what waits, and the many short
 * files last. Within each: as Vitest does, those that failed, then by how long they took the last time.
 */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
