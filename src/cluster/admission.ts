import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

/** What this process uses, and what it may. */
export interface MemoryUsage {
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  /** All of the process, buffers outside the heap included. */
  readonly rssBytes: number;
  /** What the machine, or the container, has. */
  readonly memoryLimitBytes: number;
}
export interface AdmissionLimits {
  /** Agents that this node owns, active or put away. */
  readonly maxAgents: number;
  /** Share of the heap or of the memory, whichever is fuller, from which on the node takes no new agents. */
  readonly memoryHigh: number;
  /** Below this share it takes them again. */
  readonly memoryLow: number;
}
export const ADMISSION: AdmissionLimits = { maxAgents: 1_000_000, memoryHigh: 0.85, memoryLow: 0.75 };

/**
 * What a node does about its memory. `open`: nothing. `relieving`: puts idle agents away, and takes new ones still. `closed`: takes no new agents.
 * `shedding`: its agents take no new messages either. It never ends what runs.
 */
export type AdmissionLevel = 'open' | 'relieving' | 'closed' | 'shedding';

/** From so far between `memoryHigh` and all of the memory on, messages are refused too: V8 gives up some percent before the end. */
const SHED = 1 / 3;
/** A flood fills a small heap within a second. */
const LOOK_MS = 100;
/** And between two looks, if the event loop is late: every so many messages are worth a glance. */
const GLANCE_EVERY = 64;

const shedFrom = ({ memoryHigh }: AdmissionLimits): number => memoryHigh + (1 - memoryHigh) * SHED;

/** The next level, by what is used now. Down again only at `memoryLow`, or below `memoryHigh` from shedding: what trembles at a line changes nothing. */
export function nextLevel(level: AdmissionLevel, share: number, limits: AdmissionLimits): AdmissionLevel {
  if (share >= shedFrom(limits)) return 'shedding';
  if (share >= limits.memoryHigh) return level === 'open' ? 'relieving' : level === 'shedding' ? 'shedding' : 'closed';
  if (share >= limits.memoryLow) return level === 'shedding' ? 'closed' : level;
  return 'open';
}

const shareOf = ({ heapBytes, heapLimitBytes, rssBytes, memoryLimitBytes }: MemoryUsage): number =>
  Math.max(heapBytes / heapLimitBytes, rssBytes / memoryLimitBytes);

export interface Admission {
  readonly level: AdmissionLevel;
  /** The fuller of heap and memory, 0 … 1, at the last look; undefined where nobody measures. */
  readonly memory: number | undefined;
  readonly limits: AdmissionLimits;
  /** Why it takes no new agent; undefined: it does. */
  full(): NexaError | undefined;
  /** Why its agents take no message; undefined: they do. */
  sheds(): NexaError | undefined;
  stop(): void;
}

/** Looks at the node's memory many times a second, and says what the node takes. */
export function admission(options: {
  readonly node: string;
  readonly limits: AdmissionLimits;
  /** Undefined: memory is nobody's concern, as in a simulation. */
  readonly usage: (() => MemoryUsage) | undefined;
  /** Agents that are here or on their way. */
  readonly agents: () => number;
  /** Puts some of the least recently used idle agents away; answers how many. */
  readonly relieve: () => number;
  readonly onLevel: (change: { readonly level: AdmissionLevel; readonly before: AdmissionLevel; readonly memory: number }) => void;
  readonly clock: Clock;
}): Admission {
  const { node, limits, usage, clock } = options;
  let level: AdmissionLevel = 'open';
  let memory: number | undefined;
  let cancel: Cancel = () => {};

  const refusal = (message: string, limit: string, present: string, fix: string): NexaError =>
    new NexaError('overloaded', message, { where: { node, limit, present }, fix });
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const tooFull = (line: number, what: string): NexaError =>
    refusal(
      `node ${node} uses ${percent(memory ?? 0)} of its memory and takes no ${what}`,
      percent(line),
      percent(memory ?? 0),
      'Repeat it with a pause, start another node, or give this one more memory.',
    );
  /** Made once per look: a flood is refused with the same one. */
  let shed: NexaError | undefined;

  let messages = 0;
  const look = (measure: () => MemoryUsage): void => {
    cancel = clock.after(LOOK_MS, () => look(measure));
    judge(shareOf(measure()));
  };
  const glance = (measure: () => MemoryUsage): void => {
    if (level === 'shedding' || ++messages % GLANCE_EVERY !== 0) return;
    const share = shareOf(measure());
    if (share >= shedFrom(limits)) judge(share);
  };
  const judge = (share: number): void => {
    memory = share;
    const before = level;
    level = nextLevel(before, share, limits);
    // What cannot be relieved need not be waited for.
    if (level !== 'open' && options.relieve() === 0 && level === 'relieving' && share >= limits.memoryHigh) level = 'closed';
    shed = level === 'shedding' ? tooFull(shedFrom(limits), 'new messages') : undefined;
    if (level !== before) options.onLevel({ level, before, memory: share });
  };
  if (usage !== undefined) look(usage);

  return {
    get level() {
      return level;
    },
    get memory() {
      return memory;
    },
    limits,
    full() {
      if (level === 'closed' || level === 'shedding') return tooFull(limits.memoryHigh, 'new agents');
      const agents = options.agents();
      if (agents < limits.maxAgents) return undefined;
      const fix = 'Spawn it elsewhere, start another node, or raise admission.maxAgents of this one.';
      return refusal(`node ${node} has ${agents} agents and takes no more`, `${limits.maxAgents} agents`, `${agents} agents`, fix);
    },
    sheds() {
      if (usage !== undefined) glance(usage);
      return shed;
    },
    stop: () => cancel(),
  };
}
