import { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { PLAN_VERSION, type Plan } from '../plan.ts';
import { planFrom } from '../plan-file.ts';
import { clockJump } from './clock-jump.ts';
import { diskFull } from './disk-full.ts';
import type { DrillKind } from './drill-kind.ts';
import { everything } from './everything.ts';
import { flap } from './flap.ts';
import { killNode } from './kill-node.ts';
import { killStoreLeader } from './kill-store-leader.ts';
import { minorityClient } from './minority-client.ts';
import { oneWay } from './one-way.ts';
import { pausePastLease } from './pause-past-lease.ts';
import { poison } from './poison.ts';
import { rollingRestart } from './rolling-restart.ts';
import { slowConsumer } from './slow-consumer.ts';
import { splitBrain } from './split-brain.ts';
import { storeBlink } from './store-blink.ts';

export type { DrillKind } from './drill-kind.ts';

/** By name, the plain ones first. */
export const DRILLS: Readonly<Record<string, DrillKind>> = Object.fromEntries(
  [
    ...[killNode, killStoreLeader, minorityClient, splitBrain, oneWay, pausePastLease, storeBlink, rollingRestart],
    ...[diskFull, slowConsumer, clockJump, flap, poison, everything],
  ].map((drill) => [drill.name, drill]),
);

/** @throws NexaError `invalid-message` naming those there are. */
export function drillNamed(name: string): DrillKind {
  const drill = Object.hasOwn(DRILLS, name) ? DRILLS[name] : undefined;
  if (drill !== undefined) return drill;
  throw new NexaError('invalid-message', `there is no drill ${name.slice(0, 60)}; there are ${Object.keys(DRILLS).join(', ')}`, {
    where: { drill: name.slice(0, 60) },
    fix: 'Name one of them, or give a script.',
  });
}

export interface PlanChoice {
  readonly world: Plan['world'];
  readonly seed: number;
  /** Default: those of the drill. */
  readonly durationMs?: number | undefined;
  readonly nodes?: number | undefined;
  readonly servers?: number | undefined;
  readonly workloads?: readonly string[] | undefined;
}

/** The plan of a drill by name. @throws NexaError `invalid-message` for a choice out of range, or a name that is none. */
export function planOf(name: string, choice: PlanChoice): Plan {
  const drill = drillNamed(name);
  const { world, seed, durationMs = Math.round(drill.minutes * 60_000) } = choice;
  return planFrom({
    ...{ version: PLAN_VERSION, drill: name, seed, world, durationMs },
    nodes: choice.nodes ?? drill.nodes,
    servers: choice.servers ?? drill.servers,
    workloads: choice.workloads ?? drill.worksOf?.(seededRandom(seed).fork('workloads')) ?? drill.workloads,
    faults: drill.faults(seededRandom(seed).fork('faults'), durationMs),
  });
}
