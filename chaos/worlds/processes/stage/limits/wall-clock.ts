import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../../../../src/programs/tool.ts';
import { rawEnvironment } from '../../../../../supervisors/config.ts';
import type { Place } from '../../../../act.ts';
import { FAKETIME } from '../../tools.ts';
import { changesInTurn } from './in-turn.ts';
import type { Limit, Machines } from './limit.ts';
import { because, tool } from './tool.ts';

/** How often a clock with another rate is moved by what it has gone too far, or too little. */
const STEP_MS = 20;
const SHARED_MEMORY = '/dev/shm';

interface WallClock {
  offsetMs: number;
  rate: number;
  /** Of the stage's own clock: until then its rate is in the offset. */
  steppedAtMs: number;
}

/**
 * The wall clock of a node's processes, through a library that is loaded into them when they start: it reads the offset from a file whenever
 * the time is asked for. The monotonic clock and all timers stay true. It means nothing to a nats-server, which asks the kernel itself.
 *
 * Another rate is steps of the offset: with a rate below 1 the clock goes back by a few milliseconds at each.
 */
export async function wallClock(machines: Pick<Machines, 'folder' | 'clock' | 'ownMounts' | 'wants'>): Promise<Limit> {
  const wanted = machines.wants('wall-jump') || machines.wants('clock-rate');
  const library = wanted ? await findTool(FAKETIME, { env: rawEnvironment() }) : undefined;
  const reason = !wanted
    ? 'the nodes were not started for it'
    : library === undefined
      ? 'libfaketime is neither installed nor in the cache'
      : undefined;
  const folder = join(machines.folder, 'wall-clock');
  const clocks = new Map<Place, WallClock>();
  const shared = new Set<string>();
  const fileOf = (node: Place): string => join(folder, node);
  if (reason === undefined) {
    // Read by nodes, whoever they run as.
    await mkdir(folder, { recursive: true, mode: 0o755 });
    // The library keeps a page there for each process, and leaves it when that is killed.
    if (machines.ownMounts) await tool('mount', '-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', SHARED_MEMORY);
  }

  const write = async (node: Place, { offsetMs }: Pick<WallClock, 'offsetMs'>): Promise<void> => {
    // Renamed, so that nobody reads half of it.
    await writeFile(`${fileOf(node)}.next`, `${offsetMs < 0 ? '-' : '+'}${(Math.abs(offsetMs) / 1_000).toFixed(6)}`, { mode: 0o644 });
    await rename(`${fileOf(node)}.next`, fileOf(node));
  };
  const step = async (node: Place, wall: WallClock): Promise<void> => {
    const nowMs = machines.clock.monotonicMs();
    wall.offsetMs += (nowMs - wall.steppedAtMs) * (wall.rate - 1);
    wall.steppedAtMs = nowMs;
    await write(node, wall);
  };
  const clockOf = (node: Place): WallClock => {
    const known = clocks.get(node) ?? { offsetMs: 0, rate: 1, steppedAtMs: machines.clock.monotonicMs() };
    clocks.set(node, known);
    return known;
  };

  const inTurn = changesInTurn();
  let ticking = false;
  const tick = (): void => {
    ticking = true;
    machines.clock.after(STEP_MS, () => {
      const off = [...clocks].filter(([, { rate }]) => rate !== 1);
      ticking = off.length > 0;
      if (!ticking) return;
      void inTurn(async () => {
        for (const [node, wall] of off) await step(node, wall);
      }).then(tick, tick);
    });
  };
  const change = (node: Place, how: (wall: WallClock) => void): Promise<void> =>
    inTurn(async () => {
      const wall = clockOf(node);
      await step(node, wall);
      how(wall);
      await write(node, wall);
      if (wall.rate !== 1 && !ticking) tick();
    });

  return {
    acts: ['wall-jump', 'clock-rate'],
    cannot: () => reason,
    // Not loaded into what goes before, which may be root's: what the library shares would then be root's too.
    under: () => (library === undefined ? [] : ['env', `LD_PRELOAD=${library.path}`]),
    environment(node) {
      if (library === undefined) return {};
      // There before anybody asks for the time.
      if (!existsSync(fileOf(node))) writeFileSync(fileOf(node), '+0', { mode: 0o644 });
      return {
        FAKETIME_TIMESTAMP_FILE: fileOf(node),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      };
    },
    started: (_place, pid) => void noteShared(pid, shared),
    async apply(act) {
      if (act.act === 'wall-jump') {
        await change(act.node, (wall) => {
          wall.offsetMs += act.byMs;
        });
      } else if (act.act === 'clock-rate') {
        await change(act.node, (wall) => {
          wall.rate = act.rate;
        });
      } else if (act.act === 'heal') {
        for (const node of clocks.keys())
          await change(node, (wall) => {
            wall.rate = 1;
            wall.offsetMs = 0;
          });
      }
    },
    async close() {
      for (const wall of clocks.values()) wall.rate = 1;
      await inTurn(async () => undefined);
      if (machines.ownMounts) return;
      for (const name of shared) await rm(join(SHARED_MEMORY, name), { force: true });
    },
  };
}

/** What the library made for this process, or for the one that started it. */
async function noteShared(pid: number, shared: Set<string>): Promise<void> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(because);
  const [, semaphore, memory] = /(?:^|\0)FAKETIME_SHARED=\/(faketime_sem_\d+) \/(faketime_shm_\d+)/.exec(environment) ?? [];
  shared.add(`sem.${semaphore ?? `faketime_sem_${pid}`}`).add(memory ?? `faketime_shm_${pid}`);
}
