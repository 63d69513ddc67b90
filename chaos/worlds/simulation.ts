import type { AnyAgent } from '../../index.ts';
import { clientOver } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { allTypes } from '../../supervisors/all-types.ts';
import type { SimNode, SimOptions } from '../../supervisors/testkit/sim-options.ts';
import { SimWorld } from '../../supervisors/testkit/world.ts';
import { type Act, type ActName, type Place, STORE } from '../act.ts';
import type { Exit, World, WorldOptions } from '../world.ts';
import { simulatedWays } from './simulated-ways.ts';

type Weather = NonNullable<SimOptions['faults']>;

export interface SimulationOptions extends WorldOptions {
  /** Besides the built-in types. */
  readonly agents?: readonly AnyAgent[];
  /** How the network and the store behave all the time. Default: some delay, by the seed. */
  readonly weather?: Weather;
  /** Of the cluster itself: its times, what stands around its ports. */
  readonly cluster?: Partial<Pick<SimOptions, 'times' | 'timesOf' | 'wrap' | 'onUp' | 'wireVersionsOf' | 'trace'>>;
}

/** As its launcher does it: from an exit to what it says of it, and to the next start. */
const PROOF_MS = 10;
const RELAUNCH_MS = 500;
const LONGEST_RELAUNCH_MS = 30_000;
/** SIGKILL comes so long after a SIGTERM that came to nothing. */
const LEAVE_MS = 5_000;
const KILL_MS = 15_000;
/** What the product stands: further apart, leases mean nothing. */
const RATES = { least: 0.96, most: 1.04 };

const DONE: readonly ActName[] = [
  ...(['kill-node', 'stop-node', 'start-node', 'pause-node', 'resume-node'] as const),
  ...(['cut', 'mend', 'link-down', 'link-up', 'loss', 'delay', 'strand', 'unstrand'] as const),
  ...(['wall-jump', 'clock-rate', 'revoke', 'grant', 'election', 'heal'] as const),
];

/** Each node's and the store's delays: of some seeds short ones, of others long. */
function weatherOf(seed: number): Weather {
  const random = seededRandom(seed).fork('weather');
  const far = random.next() < 0.3;
  return {
    link: { delayMs: [0, far ? 20 : 2] },
    store: { delayMs: [0, far ? 15 : 2], watchDelayMs: [0, random.next() < 0.2 ? 300 : 5] },
  };
}

/**
 * A cluster in this thread, under virtual time, all of it from the seed. Its store is always there but for elections, and it has no
 * servers: `servers` is only what the plan says.
 * @throws NexaError `invalid-definition` for two agents of one type.
 */
export async function openSimulation(options: SimulationOptions): Promise<World> {
  const { seed, onProgress = () => undefined } = options;
  const names = Array.from({ length: options.nodes }, (_, index) => `n${index + 1}`);
  const exits: Exit[] = [];
  /** Those whose launcher is gone too: nobody starts them. */
  const down = new Set<Place>();
  const world = new SimWorld({
    seed,
    definitions: allTypes(options.agents ?? []),
    faults: options.weather ?? weatherOf(seed),
    relaunches: false,
    shown: true,
    ...options.cluster,
    onOver: ({ name }) => {
      exited(name, 75, null);
      launch(name, RELAUNCH_MS);
    },
  });
  const { clock } = world;
  const ways = simulatedWays(world);
  const links = seededRandom(seed).fork('links');

  const exited = (place: Place, code: number | null, signal: string | null): void => {
    exits.push({ place, atMs: clock.monotonicMs(), code, signal });
  };
  const alive = (name: Place): SimNode | undefined => {
    const node = world.nodes.get(name);
    return node?.alive === true ? node : undefined;
  };
  /** As a launcher: again, ever later, until it comes up or is not wanted any more. */
  const launch = (name: Place, afterMs: number): void => {
    clock.after(afterMs, () => {
      if (down.has(name) || alive(name) !== undefined) return;
      world.start(name).catch((error) => {
        world.note(`${name} could not start: ${error}`);
        launch(name, Math.min(2 * Math.max(afterMs, RELAUNCH_MS), LONGEST_RELAUNCH_MS));
      });
    });
  };
  const kill = (name: Place, silent: boolean): void => {
    if (silent) down.add(name);
    if (alive(name) === undefined) return;
    world.crash(name, silent ? undefined : PROOF_MS);
    exited(name, null, 'SIGKILL');
    if (!silent) launch(name, RELAUNCH_MS);
  };
  const stop = async (name: Place): Promise<void> => {
    down.add(name);
    const node = alive(name);
    if (node === undefined) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        if (alive(name) === node) {
          world.crash(name, PROOF_MS);
          exited(name, null, 'SIGKILL');
        } else exited(name, 0, null);
        resolve();
      };
      const cancel = clock.after(KILL_MS, end);
      world.leave(name, LEAVE_MS).then(end, end);
    });
  };
  const start = (name: Place): void => {
    if (!names.includes(name)) names.push(name);
    down.delete(name);
    launch(name, 0);
  };
  const heal = (): void => {
    world.note('everything is mended');
    ways.heal();
    for (const [name, node] of world.nodes) {
      if (!node.alive) continue;
      world.resume(name);
      node.clock.setRate(1);
    }
  };
  /** @throws NexaError `invalid-message` */
  const known = (place: Place, more: readonly Place[] = []): Place => {
    if (names.includes(place) || more.includes(place)) return place;
    throw new NexaError('invalid-message', `there is no place ${place} here; there are ${[...names, ...more].join(', ')}`, {
      where: { place },
    });
  };
  const cannot = (act: ActName): string | undefined =>
    DONE.includes(act) ? undefined : `a simulation has no servers and no machine of its own to ${act}`;

  const act = async (given: Act): Promise<void> => {
    const why = cannot(given.act);
    if (why !== undefined) throw new NexaError('unavailable', why, { where: { act: given.act } });
    switch (given.act) {
      case 'kill-node':
        return kill(known(given.node), given.silent);
      case 'stop-node':
        return stop(known(given.node));
      case 'start-node':
        return start(given.node);
      case 'pause-node':
        if (alive(known(given.node)) !== undefined) world.pause(given.node);
        return;
      case 'resume-node':
        return world.resume(known(given.node));
      case 'cut':
      case 'mend':
      case 'loss':
      case 'delay':
        known(given.from, ['client', STORE]);
        known(given.to, ['client', STORE]);
        return ways.act(given);
      case 'link-down':
      case 'link-up':
        known(given.place, ['client']);
        return ways.act(given);
      case 'strand':
      case 'unstrand':
        known(given.node);
        return ways.act(given);
      // Without its credentials a node is as without its cable: its launcher, which has its own, is not.
      case 'revoke':
        return world.network.faults.isolate(known(given.node));
      case 'grant':
        return ways.act({ act: 'link-up', place: known(given.node) });
      case 'wall-jump':
        alive(known(given.node))?.clock.jumpWall(given.byMs);
        return;
      case 'clock-rate':
        alive(known(given.node))?.clock.setRate(Math.min(RATES.most, Math.max(RATES.least, given.rate)));
        return;
      case 'election':
        return world.election(given.ms);
      case 'heal':
        return heal();
    }
  };

  await world.form();
  await world.until(Promise.all(names.map((name) => world.start(name))), 120_000);
  onProgress(`${names.length} nodes are up`);
  await world.run(world.times.settleMs);

  let closing: Promise<readonly string[]> | undefined;
  return {
    kind: 'simulation',
    tier: undefined,
    cluster: 'sim',
    get nodes() {
      return [...names];
    },
    servers: [],
    urls: [],
    clock,
    versions: { node: process.versions.node },
    async run(drill) {
      let over = false;
      const drilled = drill().finally(() => {
        over = true;
      });
      drilled.catch(() => undefined);
      await world.runWhile(() => !over);
      return drilled;
    },
    cannot,
    act,
    leader: async () => undefined,
    async link(name) {
      const { transport, stores } = world.network.connect('client');
      const random = links.fork(name);
      const client = clientOver({ transport, subjects: world.subjects, clock, random });
      return {
        transport,
        stores,
        client,
        close: async () => {
          await client[Symbol.asyncDispose]();
          await transport.close();
        },
      };
    },
    exits,
    close() {
      closing ??= world.close().then(() => []);
      return closing;
    },
  };
}
