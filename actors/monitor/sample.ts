import type { CellSnapshot } from '../../src/actor/snapshot.ts';
import type { System } from '../../src/actor/system.ts';
import { withinMs } from '../../src/agent/host/meter.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { TypeUsage } from '../../src/cluster/hosting.ts';
import type { PeerTraffic, ProcessLoad, Sample, TypeSample } from './protocol.ts';

export interface Sampled {
  readonly system: System;
  readonly cluster: Cluster;
  readonly load: ProcessLoad;
}

/** Up to so many actors are walked for every sample. With more, the walk is made for each tenth sample only. */
const WALKED = 10_000;
const RARELY = 10;
const PEERS = 256;

/** What takes a walk through all actors, with the instant of that walk. */
interface Walked extends Pick<Sample, 'mailbox' | 'types'> {
  readonly usage: Readonly<Record<string, TypeUsage>>;
  readonly atMs: number;
}

/** Takes samples of one node. What takes a walk through all actors is repeated from the walk before where that would cost too much. */
export function sampler({ system, cluster, load }: Sampled): () => Sample {
  let walked: Walked | undefined;
  let taken = 0;
  let before: { readonly turns: number; readonly atMs: number } | undefined;
  return () => {
    if (walked === undefined || system.actors <= WALKED || ++taken % RARELY === 0) walked = walk(system, cluster, walked);
    const atMs = system.clock.monotonicMs();
    const { turns, restarts } = system.counters;
    const turnsPerS = perSecond(turns - (before?.turns ?? 0), atMs - (before?.atMs ?? atMs));
    before = { turns, atMs };
    const { p50Ms, p99Ms, maxMs } = load.lag();
    const { sent, sentBytes, received, receivedBytes, undecodable, unknownVersion, fromGone } = cluster.remote.counters;
    return {
      ...cluster.self,
      atMs: system.clock.wallMs(),
      cpu: load.cpu(),
      rssBytes: load.rssBytes(),
      heapBytes: load.heapBytes(),
      externalBytes: load.externalBytes(),
      memoryLimitBytes: load.memoryLimitBytes(),
      heapLimitBytes: load.heapLimitBytes(),
      lagMs: p99Ms,
      lagP50Ms: p50Ms,
      lagMaxMs: maxMs,
      actors: system.actors,
      agents: cluster.locals.count,
      unplaced: cluster.unplaced,
      capacity: cluster.members.find(cluster.self.node)?.capacity ?? 1,
      turns,
      turnsPerS,
      messagesIn: received,
      messagesOut: sent,
      bytesIn: receivedBytes,
      bytesOut: sentBytes,
      refusedFrames: { undecodable, unknownVersion, fromGone },
      nats: load.nats(),
      peers: peersOf(cluster),
      restarts,
      deadLetters: { ...system.deadLetters.counts },
      mailbox: walked.mailbox,
      types: walked.types,
    };
  };
}

function walk(system: System, cluster: Cluster, before: Walked | undefined): Walked {
  const atMs = system.clock.monotonicMs();
  const usage = cluster.host.usage();
  const types = Object.fromEntries(
    Object.entries(usage).map(([type, now]) => [type, typeSample(now, before?.usage[type], atMs - (before?.atMs ?? atMs))]),
  );
  return { mailbox: waiting(system.snapshot(WALKED)), types, usage, atMs };
}

function typeSample({ took, busyMs, ...usage }: TypeUsage, before: TypeUsage | undefined, elapsedMs: number): TypeSample {
  const handled = usage.handled - (before?.handled ?? 0);
  return {
    ...usage,
    handledPerS: perSecond(handled, elapsedMs),
    handlerMeanMs: handled === 0 ? 0 : thousandths((busyMs - (before?.busyMs ?? 0)) / handled),
    handlerP99Ms: withinMs(0.99, took, before?.took),
  };
}

const peersOf = ({ remote }: Cluster): readonly PeerTraffic[] =>
  remote
    .peers()
    .slice(0, PEERS)
    .map(({ node, incarnation, sent, sentBytes, received, receivedBytes, inFlight, gaps }) => ({
      ...{ node, incarnation, sent, sentBytes, received, receivedBytes, inFlight, gaps },
    }));

const thousandths = (value: number): number => Math.round(value * 1_000) / 1_000;
/** 0 where no time has passed. */
const perSecond = (count: number, elapsedMs: number): number => (elapsedMs <= 0 ? 0 : Math.round((count * 10_000) / elapsedMs) / 10);

const waiting = (actor: CellSnapshot): number => actor.children.reduce((sum, child) => sum + waiting(child), actor.mailbox);
