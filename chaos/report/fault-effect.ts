import type { Act, Place } from '../act.ts';
import { isServer, type Met, metBy } from '../checkers/met.ts';
import { type Moved, movedNeedlessly, movesBetween, movesOf } from '../checkers/moved-needlessly.ts';
import type { Fault } from '../fault.ts';
import type { Acted, FaultRun, Heard, Placement, Run } from '../run.ts';
import { type Spread, spread } from '../spread.ts';
import type { WorkRecord } from '../workloads/work.ts';
import { faultNumber, faultText } from './fault-text.ts';

/**
 * What one fault did to the agents that it met: those of its nodes, or all where it met servers alone. Milliseconds since it struck that place;
 * null: never seen.
 */
export interface FaultEffect {
  /** `F1` … `F30`; null for a wait and a heal. */
  readonly number: string | null;
  readonly text: string;
  readonly fault: Fault;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly met: readonly Place[];
  /** Why it was left out; null if it was not. */
  readonly skipped: string | null;
  /** Until somebody told that the first of the nodes is gone. */
  readonly detectedMs: number | null;
  /** That it met. */
  readonly agents: number;
  /** Until another activation of an agent was told. */
  readonly takenOverMs: Spread | null;
  /** Until the first call that began after it was answered, for each of those agents that was asked within 5 s. */
  readonly firstOkMs: Spread | null;
  /** Of those agents that were asked afterwards, how many never answered again. */
  readonly silent: number;
  /** Moves until the next fault, and those of them that nothing explains. */
  readonly moved: number;
  readonly movedNeedlessly: number;
}

/** Milliseconds to a tenth. */
const tenth = (ms: number): number => Math.round(ms * 10) / 10;

export function faultEffects(run: Run): readonly FaultEffect[] {
  const answered = answersByAgent(run.works);
  const moves = run.records.some(({ log }) => log === 'AGENTS') ? movesOf(run.records) : movesBetween(run.placements);
  const seen = { answered, moves, all: metBy(run) };
  return run.faults.map((each, index) => effectOf(run, each, run.faults[index + 1]?.fromMs ?? run.endedAtMs, seen));
}

/** Of each fault, in the order of {@link faultEffects}: the single times of its `firstOkMs`, for a spread over many runs. */
export function firstOks(run: Run): readonly (readonly number[])[] {
  const answered = answersByAgent(run.works);
  return run.faults.map((each) => firstOksOf(hitBy(run, each), answered).filter(Number.isFinite));
}

interface SeenOfAll {
  readonly answered: ReadonlyMap<string, readonly Answered[]>;
  readonly moves: readonly Moved[];
  readonly all: readonly Met[];
}

function effectOf(run: Run, each: FaultRun, nextMs: number, { answered, moves, all }: SeenOfAll): FaultEffect {
  const { fault, fromMs, untilMs, met, skipped } = each;
  const hit = hitBy(run, each);
  // What happened once the next fault had struck is not told from what that one did.
  const during = run.events.filter(({ atMs }) => atMs >= fromMs && atMs < Math.max(nextMs, untilMs));

  const takenOver = hit.flatMap(({ agent, epoch, atMs }) => {
    const activated = during.find((heard) => heard.atMs >= atMs && isActivation(heard, agent, epoch));
    return activated === undefined ? [] : [activated.atMs - atMs];
  });
  const firsts = firstOksOf(hit, answered);
  const first = firsts.filter(Number.isFinite);
  const moved = moves.filter(({ atMs }) => atMs > fromMs && atMs <= Math.max(nextMs, untilMs));
  const detected = during.find(({ event }) => event.event === 'member' && isGone(event.member, met));
  return {
    number: faultNumber(fault) ?? null,
    text: faultText(fault),
    ...{ fault, fromMs, untilMs, met },
    skipped: skipped ?? null,
    detectedMs: detected === undefined ? null : tenth(detected.atMs - strikeOf(run.acts, goneNode(detected), each).atMs),
    agents: hit.length,
    takenOverMs: takenOver.length > 0 ? spread(takenOver) : null,
    firstOkMs: first.length > 0 ? spread(first) : null,
    silent: firsts.length - first.length,
    moved: moved.length,
    movedNeedlessly: moved.filter((each) => movedNeedlessly([each], all).verdict === 'bad').length,
  };
}

interface Hit extends Strike {
  readonly agent: string;
  readonly epoch: number;
}

/** The agents that lived on the places it met, and when it struck those. The store is everybody's: a server is met by all. */
function hitBy({ acts, placements }: Run, each: FaultRun): readonly Hit[] {
  const struck = new Map(each.met.map((place) => [place, strikeOf(acts, place, each)]));
  const [server] = each.met.every(isServer) ? each.met : [];
  return (latest(placements, each.fromMs)?.agents ?? []).flatMap(({ agent, node, epoch }) => {
    const strike = node === null ? undefined : struck.get(server ?? node);
    return strike === undefined ? [] : [{ agent, epoch, ...strike }];
  });
}

/** Who was not asked for longer than a call may take had nobody who missed it: its next answer says nothing of the fault. */
const ASKED_WITHIN_MS = 5_000;

/** Of those that were asked afterwards; infinity: it never answered. */
const firstOksOf = (hit: readonly Hit[], answered: ReadonlyMap<string, readonly Answered[]>): readonly number[] =>
  hit.flatMap(({ agent, atMs, overMs }) => {
    const asked = (answered.get(agent) ?? []).filter(({ invokedAtMs }) => invokedAtMs >= overMs);
    if (!asked.some(({ invokedAtMs }) => invokedAtMs <= overMs + ASKED_WITHIN_MS)) return [];
    return [asked.reduce((least, { okAtMs }) => Math.min(least, okAtMs), Number.POSITIVE_INFINITY) - atMs];
  });

interface Strike {
  readonly atMs: number;
  /** From when on an answer can no longer be from before it. */
  readonly overMs: number;
}

/** When the first act on that place happened: in a rolling restart each node has its own. */
function strikeOf(acts: readonly Acted[], place: Place, { fromMs, untilMs }: FaultRun): Strike {
  const found = acts.find(({ act, fromMs: atMs }) => atMs >= fromMs && atMs <= untilMs && placesOf(act).includes(place));
  if (found === undefined) return { atMs: fromMs, overMs: fromMs };
  const { act } = found.act;
  return { atMs: found.fromMs, overMs: /^(kill|pause)-/.test(act) ? found.untilMs : found.fromMs };
}

const placesOf = (act: Act): readonly Place[] =>
  Object.entries(act).flatMap(([name, value]) => (['node', 'server', 'place', 'from', 'to'].includes(name) ? [String(value)] : []));

function latest(placements: readonly Placement[], untilMs: number): Placement | undefined {
  return placements.filter(({ atMs }) => atMs <= untilMs).at(-1) ?? placements[0];
}

interface Answered {
  readonly invokedAtMs: number;
  /** Infinity: not with ok. */
  readonly okAtMs: number;
}
function answersByAgent(works: readonly WorkRecord[]): ReadonlyMap<string, readonly Answered[]> {
  const found = new Map<string, Answered[]>();
  for (const { operations, agents } of works) {
    for (const { key, invokedAtMs, outcome, endedAtMs } of operations) {
      const agent = agents[key];
      if (agent === undefined) continue;
      const list = found.get(agent) ?? [];
      found.set(agent, list);
      list.push({ invokedAtMs, okAtMs: outcome === 'ok' ? endedAtMs : Number.POSITIVE_INFINITY });
    }
  }
  return found;
}

const agentOf = ({ agent }: Heard['event']): string => (agent === undefined ? '' : `${agent.type}/${agent.id}`);
const isActivation = ({ event }: Heard, agent: string, epoch: number): boolean =>
  event.event === 'activated' && agentOf(event) === agent && typeof event.epoch === 'number' && event.epoch > epoch;
const memberOf = (member: unknown): { readonly node?: unknown; readonly state?: unknown } =>
  typeof member === 'object' && member !== null ? member : {};
const isGone = (member: unknown, met: readonly Place[]): boolean => {
  const { node, state } = memberOf(member);
  return state === 'gone' && typeof node === 'string' && met.includes(node);
};
const goneNode = ({ event }: Heard): Place => String(memberOf(event.member).node);
