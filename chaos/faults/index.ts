import type { ActName } from '../act.ts';
import type { Fault, FaultName } from '../fault.ts';
import type { World } from '../world.ts';
import { blockLoop, clockJump, clockRate, diskFull, noDescriptors, outOfMemory, revoke, rollBack, starve } from './limits.ts';
import { delay, halfOpen, linkDown, loss, lostAnswers, reset, slice } from './links.ts';
import { partition, partitionNeeds } from './partitions.ts';
import { flap, joinStorm, kill, pause, restart } from './processes.ts';
import type { FaultScene } from './scene.ts';
import { isServer } from './targets.ts';
import { changeStream, deleteStream, duplicates, garbage, poison, realServers, slowConsumer } from './wire.ts';

type Of<Name extends FaultName> = Extract<Fault, { readonly fault: Name }>;
type Kind = Pick<World, 'kind'>;

/** How one kind of fault is done, and what a world has to be able to for it. */
interface Family<F extends Fault> {
  readonly needs: readonly ActName[] | ((fault: F, world: Kind) => readonly ActName[]);
  /** Why it cannot be done there, besides what is done by acts. */
  readonly cannot?: (world: Kind) => string | undefined;
  /** Resolves when it is over. */
  run(fault: F, scene: FaultScene): Promise<void>;
}

/** Of nodes or of servers, by the target; where there are no servers, the store is without a leader. */
const either =
  (nodes: readonly ActName[], servers: readonly ActName[]) =>
  ({ target }: { readonly target: string }, { kind }: Kind): readonly ActName[] =>
    !isServer(target) ? nodes : kind === 'simulation' ? ['election'] : servers;

const FAMILIES: { readonly [Name in FaultName]: Family<Of<Name>> } = {
  kill: { needs: either(['kill-node', 'start-node'], ['kill-server', 'start-server']), run: kill },
  pause: { needs: either(['pause-node', 'resume-node'], ['pause-server', 'resume-server']), run: pause },
  restart: { needs: either(['stop-node', 'start-node'], ['stop-server', 'start-server']), run: restart },
  partition: { needs: partitionNeeds, run: partition },
  loss: { needs: ['loss'], run: loss },
  delay: { needs: ['delay'], run: delay },
  slice: { needs: ['slice'], run: slice },
  reset: { needs: ['reset'], run: reset },
  'half-open': { needs: ['half-open'], run: halfOpen },
  'link-down': { needs: ['link-down', 'link-up'], run: linkDown },
  'clock-jump': { needs: ['wall-jump'], run: clockJump },
  'clock-rate': { needs: ['clock-rate'], run: clockRate },
  'disk-full': { needs: ['fill-disk', 'free-disk'], run: diskFull },
  'no-descriptors': { needs: ['descriptors'], run: noDescriptors },
  'block-loop': { needs: ['pause-node', 'resume-node'], run: blockLoop },
  'out-of-memory': { needs: ['memory'], run: outOfMemory },
  starve: { needs: ['cpu'], run: starve },
  'lost-answers': { needs: ['cut', 'mend'], run: lostAnswers },
  flap: { needs: ['kill-node', 'start-node'], run: flap },
  'join-storm': { needs: ['start-node', 'stop-node'], run: joinStorm },
  'roll-back': { needs: ['copy-store', 'roll-back'], run: rollBack },
  revoke: { needs: ['revoke', 'grant'], run: revoke },
  'slow-consumer': { needs: [], cannot: realServers, run: slowConsumer },
  garbage: { needs: [], run: garbage },
  duplicates: { needs: [], run: duplicates },
  poison: { needs: [], run: poison },
  'delete-stream': { needs: [], cannot: realServers, run: deleteStream },
  'change-stream': { needs: [], cannot: realServers, run: changeStream },
  together: { needs: ({ faults }, world) => [...new Set(faults.flatMap((each) => needs(each, world)))], run: together },
  wait: { needs: [], run: ({ forMs }, scene) => scene.wait(forMs) },
  heal: { needs: ['heal', 'start-node'], run: (_fault, scene) => scene.heal() },
};

const familyOf = (fault: Fault): Family<Fault> => FAMILIES[fault.fault] as unknown as Family<Fault>;

/** What a world has to be able to for it. */
export function needs(fault: Fault, world: Kind): readonly ActName[] {
  const { needs: needed } = familyOf(fault);
  return typeof needed === 'function' ? needed(fault, world) : needed;
}

/** Why it cannot be done to this world; undefined: it can. */
export function lacking(fault: Fault, world: Pick<World, 'kind' | 'cannot'>): string | undefined {
  const inside = fault.fault === 'together' ? fault.faults.map((each) => lacking(each, world)) : [];
  return [familyOf(fault).cannot?.(world), ...inside, ...needs(fault, world).map((act) => world.cannot(act))].find(
    (why) => why !== undefined,
  );
}

/** Does it; resolves when it is over. @throws NexaError of an act, or what the drill was given up with. */
export const doFault = (fault: Fault, scene: FaultScene): Promise<void> => familyOf(fault).run(fault, scene);

async function together({ faults }: Of<'together'>, scene: FaultScene): Promise<void> {
  const ends = await Promise.allSettled(faults.map((each, index) => doFault(each, { ...scene, random: scene.random.fork(String(index)) })));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** How long a fault goes on by itself, milliseconds: what is done takes its own time besides. */
export function lengthMs(fault: Fault): number {
  if (fault.fault === 'together') return Math.max(0, ...fault.faults.map(lengthMs));
  if (fault.fault === 'flap') return fault.times * fault.everyMs;
  return 'forMs' in fault ? (fault.forMs ?? 0) : 0;
}
