import { type ChildProcess, spawn } from 'node:child_process';
import { createCodec } from '../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../src/cluster/config.ts';
import { declareGone, type Joined, join } from '../src/cluster/join.ts';
import { keepJoining } from '../src/cluster/keep-joining.ts';
import { memberKey, type Subjects, subjects as subjectsOf } from '../src/cluster/subject.ts';
import { type ErrorCode, errorFrom, NexaError, toNexaError } from '../src/errors.ts';
import type { CheckResult } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Codec } from '../src/ports/codec.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import type { Stores } from '../src/ports/stores.ts';
import type { Transport } from '../src/ports/transport.ts';
import { VERSION, WIRE_VERSIONS } from '../src/version.ts';
import { childEnvironment } from './config.ts';
import { answerOrders } from './launcher-orders.ts';
import { killGroup, ordersTo } from './worker-orders.ts';
import type { LauncherOrder, WorkerNews, WorkerSpec } from './worker-spec.ts';

/** The exit code of a worker whose incarnation is over: its launcher starts the next one (C1). */
export const EXIT_OVER = 75;

/** Restarts after crashes; an incarnation that was over does not count. */
const INTENSITY = { maxRestarts: 10, withinMs: 60_000 } as const;
/** Short enough after a crash that a crash loop meets its intensity; long after an incarnation that was over, which never does. */
const BACKOFF_MS = { first: 100, longestCrashed: 5_000, longestOver: 30_000 } as const;
const JOIN_MS = 60_000;
/** What once ran waits for these to be over: an outage however long (C6), a record of it that an operator has to look at. */
const JOINED_LATER: readonly ErrorCode[] = ['unavailable', 'corrupt-record'];
const GONE_MS = 60_000;

export interface LauncherOptions {
  /** One member and one process each. */
  readonly workers: readonly Omit<WorkerSpec, 'incarnation' | 'revision' | 'session' | 'cordoned'>[];
  /** What to run: node's arguments that start a worker. */
  readonly command: readonly string[];
  readonly stores: Stores;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onEvent?: (event: LauncherEvent) => void;
}
export type LauncherEvent =
  | { readonly event: 'started'; readonly node: string; readonly pid: number; readonly incarnation: number }
  /** A check of its start is through. */
  | { readonly event: 'check'; readonly node: string; readonly result: CheckResult }
  | { readonly event: 'ready'; readonly node: string; readonly pid: number; readonly incarnation: number }
  | {
      readonly event: 'exited';
      readonly node: string;
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly atMs: number;
    }
  | { readonly event: 'gone'; readonly node: string; readonly incarnation: number; readonly atMs: number };

export interface Launcher {
  /** All workers are up; rejects when one cannot start. */
  readonly ready: Promise<void>;
  /** Settles when no worker is left: 0 after graceful ends, else the code of the one that could not go on. */
  readonly done: Promise<number>;
  pids(): ReadonlyMap<string, number>;
  /** Each worker leaves gracefully. */
  stop(): void;
  /** SIGKILL to all of them, now. */
  stopNow(): void;
  /** SIGKILL to one: what `nexa kill` asks for. False: no such worker here. */
  kill(node: string): boolean;
}

interface Worker {
  readonly spec: LauncherOptions['workers'][number];
  child: ChildProcess | undefined;
  /** Lets its process go on that was held by an order. */
  release: () => void;
  crashes: number[];
  backoffMs: number;
  wasReady: boolean;
}

/**
 * Supervises node processes. It joins for each, so that it may declare gone what it started: the exit of its own child is the one
 * proof of death that needs no waiting, and a crash fails over in well under a second.
 */
export function launch(options: LauncherOptions): Launcher {
  const { stores, clock, random, log } = options;
  const codec = createCodec();
  const workers = options.workers.map(
    (spec): Worker => ({ spec, child: undefined, release: () => {}, crashes: [], backoffMs: BACKOFF_MS.first, wasReady: false }),
  );
  let stopping = false;
  let killing = false;
  let exitCode = 0;
  let cancelWaits: (() => void)[] = [];
  const firstReady = new Map<Worker, { readonly resolve: () => void; readonly reject: (error: NexaError) => void }>();
  const ready = Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          firstReady.set(worker, { resolve, reject });
        }),
    ),
  ).then(() => undefined);
  ready.catch(() => undefined);

  const stopAll = (): void => {
    stopping = true;
    for (const cancel of cancelWaits.splice(0)) cancel();
    for (const worker of workers) {
      // Who is held cannot leave.
      worker.release();
      if (worker.child?.connected === true) worker.child.send({ order: 'stop' } satisfies LauncherOrder);
    }
  };
  const killAll = (): void => {
    killing = true;
    stopping = true;
    for (const cancel of cancelWaits.splice(0)) cancel();
    for (const worker of workers) killGroup(worker.child);
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      cancelWaits.push(() => {
        cancel();
        resolve();
      });
      cancelWaits = cancelWaits.slice(-workers.length);
    });
  const backOff = async (worker: Worker, longestMs: number): Promise<void> => {
    await pause(worker.backoffMs * (0.5 + random.next() / 2));
    worker.backoffMs = Math.min(worker.backoffMs * 2, longestMs);
  };
  const giveUp = (worker: Worker, code: number, error: NexaError): void => {
    // What never came up rejects `ready`: told there, and once.
    if (worker.wasReady) log.error({ node: worker.spec.node, ...error.toJSON() }, error.message);
    exitCode = exitCode === 0 ? code : exitCode;
    firstReady.get(worker)?.reject(error);
    stopAll();
  };

  const one = async (worker: Worker): Promise<void> => {
    const { spec } = worker;
    const subjects = subjectsOf(spec.cluster);
    const store = { members: stores.kv(subjects.store('MEMBERS')), codec, clock, times: DEFAULT_TIMES };
    while (!stopping) {
      const session = random.id();
      const record = {
        state: 'joining',
        session,
        cordoned: false,
        labels: spec.labels,
        capacity: spec.capacity,
        version: VERSION,
        wireVersions: WIRE_VERSIONS,
        types: {},
      } as const;
      let joined: Joined;
      try {
        joined = await join(store, spec.node, record, { timeoutMs: JOIN_MS });
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (!worker.wasReady || !JOINED_LATER.includes(error.code)) return giveUp(worker, 1, error);
        log.error({ node: spec.node, ...error.toJSON() }, 'its next incarnation cannot join yet');
        await backOff(worker, BACKOFF_MS.longestOver);
        continue;
      }
      const { sent: _, ...taken } = joined;
      const endJoining = keepJoining(store, spec.node, record, joined);
      const outcome = stopping ? { code: 0, signal: null, pid: 0, error: undefined } : await live(worker, { ...spec, ...taken, session });
      endJoining();
      const revision = await declareGone(store, spec.node, joined.incarnation, {
        timeoutMs: stopping ? 5_000 : GONE_MS,
        cause: 'crash',
      }).catch((error: unknown) => {
        log.warn({ node: spec.node, error: String(error) }, 'could not be declared gone; the others will notice its silence');
        return undefined;
      });
      announce(options.transport, subjects, codec, spec.node, revision);
      options.onEvent?.({ event: 'gone', node: spec.node, incarnation: joined.incarnation, atMs: clock.monotonicMs() });
      if (stopping && !killing && outcome.code !== 0)
        log.warn({ node: spec.node, code: outcome.code, signal: outcome.signal }, 'the node ended before it had left');
      if (stopping || outcome.code === 0) return;
      if (outcome.code !== EXIT_OVER) {
        if (!worker.wasReady) {
          const error =
            outcome.error ??
            new NexaError('unavailable', `node ${spec.node} could not start`, {
              where: { node: spec.node, exit: String(outcome.code ?? outcome.signal) },
            });
          return giveUp(worker, outcome.code ?? 1, error);
        }
        const nowMs = clock.monotonicMs();
        worker.crashes = [...worker.crashes.filter((atMs) => nowMs - atMs < INTENSITY.withinMs), nowMs];
        if (worker.crashes.length > INTENSITY.maxRestarts) {
          return giveUp(
            worker,
            1,
            new NexaError('unavailable', `node ${spec.node} crashed more than ${INTENSITY.maxRestarts} times within a minute`, {
              where: { node: spec.node },
            }),
          );
        }
      }
      log.warn({ node: spec.node, code: outcome.code, signal: outcome.signal }, 'the node ended; starting its next incarnation');
      await backOff(worker, outcome.code === EXIT_OVER ? BACKOFF_MS.longestOver : BACKOFF_MS.longestCrashed);
    }
  };

  const live = (
    worker: Worker,
    spec: WorkerSpec,
  ): Promise<{ code: number | null; signal: string | null; pid: number; error: NexaError | undefined }> =>
    new Promise((resolve) => {
      // A group of its own: what the node starts dies with it, and a Ctrl-C reaches us alone.
      const child = spawn(process.execPath, [...options.command], {
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: childEnvironment(JSON.stringify(spec)),
      });
      const pid = child.pid ?? 0;
      const { node, incarnation } = spec;
      let failure: NexaError | undefined;
      let readyAtMs: number | undefined;
      worker.child = child;
      options.onEvent?.({ event: 'started', node, pid, incarnation });
      child.on('message', (message) => {
        const news = message as WorkerNews;
        if (news.news === 'check') options.onEvent?.({ event: 'check', node, result: news.result });
        if (news.news === 'failed') failure = errorFrom(news.error);
        if (news.news !== 'ready') return;
        readyAtMs = clock.monotonicMs();
        worker.wasReady = true;
        options.onEvent?.({ event: 'ready', node, pid, incarnation });
        firstReady.get(worker)?.resolve();
      });
      child.on('error', (error) => {
        failure = toNexaError(error, 'unavailable');
        if (child.pid === undefined) resolve({ code: 1, signal: null, pid, error: failure });
      });
      child.once('exit', (code, signal) => {
        worker.child = undefined;
        killGroup(child);
        // A good while up earns a fresh start.
        if (readyAtMs !== undefined && clock.monotonicMs() - readyAtMs > INTENSITY.withinMs) worker.backoffMs = BACKOFF_MS.first;
        options.onEvent?.({ event: 'exited', node, pid, code, signal, atMs: clock.monotonicMs() });
        resolve({ code, signal, pid, error: failure });
      });
      if (stopping) stopAll();
      if (killing) killGroup(child);
    });

  const unsubscribe = workers.map((worker) =>
    answerOrders({
      transport: options.transport,
      subject: subjectsOf(worker.spec.cluster).launcher(worker.spec.node),
      log,
      orders: ordersTo(worker, clock),
    }),
  );
  const done = Promise.all(workers.map(one)).then(() => {
    for (const cancel of unsubscribe) cancel();
    return exitCode;
  });
  return {
    ready,
    done,
    pids: () => new Map(workers.flatMap(({ spec, child }) => (child?.pid === undefined ? [] : [[spec.node, child.pid] as const]))),
    stop: stopAll,
    stopNow: killAll,
    kill(node) {
      const worker = workers.find((candidate) => candidate.spec.node === node);
      return worker !== undefined && ordersTo(worker, clock).kill();
    },
  };
}

/** A hint that a member's record is worth reading: a failover does not wait for a watch. */
function announce(transport: Transport, subjects: Subjects, codec: Codec, node: string, revision: number | undefined): void {
  if (revision !== undefined) transport.publish(subjects.event('member'), codec.encode([memberKey(node), revision]));
}
