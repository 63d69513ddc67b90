import type { Operation } from '../history.ts';
import type { ChurnFinals, ChurnOp, ChurnResult } from '../workloads/churn.ts';
import { byKey } from './by-key.ts';
import { requestsOf } from './requests.ts';
import { type Verdict, verdictOf } from './verdict.ts';

type ChurnOperation = Operation<ChurnOp, ChurnResult>;
type Spawned = Extract<ChurnResult, { readonly created: boolean }>;

/** What nobody knows may still happen for so long: a request that waits in the buffer of a broken connection arrives when that is mended. */
const LATE_MS = 60_000;

/**
 * C8: a spawn id creates once. And as long as it is certain what an agent is, a spawn under an id that is new creates it if it was stopped, and
 * nothing if it runs. One client makes the calls of a key, one after the other.
 */
export function createdOnce(operations: readonly ChurnOperation[]): Verdict {
  return verdictOf([...byKey(operations).values()].flatMap((ofKey) => [...twice(ofKey), ...walk(ofKey).said]));
}

const spawned = (each: ChurnOperation): Spawned | undefined =>
  each.op.type === 'spawn' && each.outcome === 'ok' && 'created' in each.result ? each.result : undefined;

function twice(operations: readonly ChurnOperation[]): string[] {
  const times = new Map<string, number>();
  for (const each of operations)
    if (each.op.type === 'spawn' && spawned(each)?.created === true) times.set(each.op.spawnId, (times.get(each.op.spawnId) ?? 0) + 1);
  return [...times].filter(([, count]) => count > 1).map(([spawnId, count]) => `spawn id ${spawnId} created ${count} times`);
}

/** `running`: it is certain whether it runs; undefined: it is not. */
interface Known {
  readonly running: boolean | undefined;
  readonly said: string[];
}

function walk(operations: readonly ChurnOperation[]): Known {
  const said: string[] = [];
  const used = new Set<string>();
  let running: boolean | undefined = false;
  let doubtUntilMs = Number.NEGATIVE_INFINITY;
  for (const each of [...operations].sort((a, b) => a.invokedAtMs - b.invokedAtMs)) {
    const { op, outcome, invokedAtMs } = each;
    const absent = outcome === 'ok' && 'absent' in each.result && each.result.absent;
    if (absent && running === true && invokedAtMs > doubtUntilMs)
      said.push(`${op.agent} ran, and "${op.type}" was told that there is no such agent`);
    if (op.type === 'bear') continue;
    if (outcome !== 'ok') {
      // Refused for certain, it left everything as it was.
      if (outcome === 'info') {
        doubtUntilMs = invokedAtMs + LATE_MS;
        running = undefined;
      }
      if (op.type === 'spawn') used.add(op.spawnId);
      continue;
    }
    const certain = invokedAtMs > doubtUntilMs;
    if (op.type === 'stop') running = certain ? false : undefined;
    else {
      const created = spawned(each)?.created;
      const fresh = !used.has(op.spawnId);
      if (certain && running === true && created === true) said.push(`${op.agent} ran, and spawn id ${op.spawnId} created it anew`);
      if (certain && running === false && fresh && created === false)
        said.push(`${op.agent} was stopped, and the new spawn id ${op.spawnId} created nothing`);
      used.add(op.spawnId);
      // A repeat over a stopped agent leaves it so.
      if (fresh || created === true) running = certain ? true : undefined;
    }
  }
  return { running, said };
}

/** C2: what the registry says is what lives: each agent that is placed answers once, in the epoch of its record, and nobody else does. */
export function liveSet(operations: readonly ChurnOperation[], { registry, present }: ChurnFinals): Verdict {
  if (present === null) return { verdict: 'unknown', reason: 'the roll was called and never answered alike' };
  const there = new Map<string, number[]>();
  for (const { agent, epoch, child } of present) if (child === null) there.set(agent, [...(there.get(agent) ?? []), epoch]);
  const certain = new Map([...byKey(operations).values()].map((ofKey) => [ofKey[0]?.op.agent ?? '', walk(ofKey).running]));
  const told = [...certain].flatMap(([agent, running]) => {
    const lives = there.has(agent);
    if (running === undefined || running === lives) return [];
    return [running ? `${agent} was spawned, and does not live` : `${agent} was stopped, or never spawned, and lives`];
  });
  const rows = registry ?? [];
  const placed = new Map(rows.flatMap(({ agent, node, epoch }) => (node === null ? [] : [[agent, epoch] as const])));
  return verdictOf([
    ...told,
    ...[...there].flatMap(([agent, epochs]) =>
      epochs.length > 1 ? [`${agent} lives ${epochs.length} times, in epochs ${epochs.join(' and ')}`] : [],
    ),
    ...(registry === null
      ? []
      : [...there.keys()].filter((agent) => !placed.has(agent)).map((agent) => `${agent} lives, and no record places it`)),
    ...[...placed].flatMap(([agent, epoch]) => {
      const epochs = there.get(agent);
      if (epochs === undefined) return [`${agent} is placed by its record, and does not live`];
      return epochs.includes(epoch) ? [] : [`${agent} lives in epoch ${epochs.join(' and ')}, and its record says ${epoch}`];
    }),
  ]);
}

/** L1: nobody outlives what it was under; who was made by what lives, lives. */
export function noOrphans(operations: readonly ChurnOperation[], { present }: ChurnFinals): Verdict {
  if (present === null) return { verdict: 'unknown', reason: 'the roll was called and never answered alike' };
  const parents = new Set(present.flatMap(({ agent, epoch, child }) => (child === null ? [JSON.stringify([agent, epoch])] : [])));
  const children = new Set(present.map(({ agent, epoch, child }) => JSON.stringify([agent, epoch, child])));
  const asked = new Map(
    requestsOf(operations).flatMap(({ operation: { op, outcome } }) =>
      op.type === 'bear' ? [[`${op.agent} ${op.child}`, outcome] as const] : [],
    ),
  );
  const orphans = present.flatMap(({ agent, epoch, child }) => {
    if (child === null) return [];
    if (!parents.has(JSON.stringify([agent, epoch]))) return [`${child} lives, and ${agent} of epoch ${epoch}, who made it, does not`];
    const made = asked.get(`${agent} ${child}`);
    if (made === undefined) return [`${child} lives under ${agent}, and nobody asked for it`];
    return made === 'fail' ? [`${child} lives under ${agent}, and was definitely refused`] : [];
  });
  const missing = operations.flatMap(({ op, ...each }) => {
    if (op.type !== 'bear' || each.outcome !== 'ok' || !('epoch' in each.result)) return [];
    const { epoch } = each.result;
    const due = parents.has(JSON.stringify([op.agent, epoch])) && !children.has(JSON.stringify([op.agent, epoch, op.child]));
    return due ? [`${op.child} was made by ${op.agent} of epoch ${epoch}, which lives, and does not live`] : [];
  });
  return verdictOf([...orphans, ...missing]);
}
