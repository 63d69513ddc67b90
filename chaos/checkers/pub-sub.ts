import type { Operation } from '../history.ts';
import type { HeardRun, Published, TopicFinals, TopicNotes, TopicOp, TopicResult } from '../workloads/topics.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

/** How long a subscription, or word of it, may be under way to the servers of those who publish; and a message at the end. */
const SPREAD_MS = 2_000;

/**
 * What topics promise (docs/messages.md): each subscriber hears the messages of one publisher in their order and at most once, and nothing that
 * nobody published. They keep nothing, so that anything may be missing while something is broken; but once all was seen to work again, the subscription
 * of a client that was there all along hears everything. Of agents it is not known when they were there.
 */
export function pubSub(
  operations: readonly Operation<TopicOp, TopicResult>[],
  { heard }: TopicFinals,
  notes: TopicNotes,
  options: { readonly untilMs: number },
): Verdict {
  return worstOf([
    verdictOf([...disordered(heard), ...invented(operations, heard, notes.published)]),
    missing(heard, notes, options.untilMs),
  ]);
}

const nameOf = (...parts: readonly string[]): string => JSON.stringify(parts);

function disordered(heard: readonly HeardRun[]): string[] {
  const reached = new Map<string, number>();
  return heard.flatMap(({ topic, subscriber, publisher, from, to }) => {
    const name = nameOf(topic, subscriber, publisher);
    const before = reached.get(name) ?? 0;
    reached.set(name, Math.max(before, to));
    return from > before ? [] : [`${subscriber} heard ${from} of ${publisher} on ${topic} after ${before}`];
  });
}

/** Of clients all is known that they published; of an agent that it published no more than it was asked for. */
function invented(
  operations: readonly Operation<TopicOp, TopicResult>[],
  heard: readonly HeardRun[],
  published: readonly Published[],
): string[] {
  const lost = new Set<string>();
  const most = new Map<string, number>();
  for (const { topic, publisher, n, sent } of published) {
    const name = nameOf(topic, publisher);
    most.set(name, Math.max(n, most.get(name) ?? 0));
    if (!sent) lost.add(nameOf(topic, publisher, String(n)));
  }
  const asked = operations.filter(({ outcome }) => outcome !== 'fail').length;
  return heard.flatMap(({ topic, subscriber, publisher, from, to }) => {
    const known = most.get(nameOf(topic, publisher));
    if (known === undefined)
      return to > asked ? [`${subscriber} heard ${to} of ${publisher} on ${topic}, and ${asked} were asked for of all`] : [];
    if (to > known) return [`${subscriber} heard ${to} of ${publisher} on ${topic}, who published ${known}`];
    for (let n = from; n <= to; n++)
      if (lost.has(nameOf(topic, publisher, String(n))))
        return [`${subscriber} heard ${n} of ${publisher} on ${topic}, which was known to be lost`];
    return [];
  });
}

function missing(heard: readonly HeardRun[], { published, subscribers, calmFromMs }: TopicNotes, endMs: number): Verdict {
  if (calmFromMs === null)
    return { verdict: 'unknown', reason: 'topics were never seen to work again: nothing is known of what is missing' };
  const runs = new Map<string, HeardRun[]>();
  for (const run of heard) {
    const name = nameOf(run.topic, run.subscriber, run.publisher);
    runs.set(name, [...(runs.get(name) ?? []), run]);
  }
  return verdictOf(
    subscribers.flatMap(({ topic, subscriber, fromMs, untilMs }) => {
      const since = Math.max(calmFromMs, fromMs + SPREAD_MS);
      const until = (untilMs ?? endMs) - SPREAD_MS;
      return published.flatMap((each) => {
        if (each.topic !== topic || !each.sent || each.atMs < since || each.atMs > until) return [];
        const had = runs.get(nameOf(topic, subscriber, each.publisher))?.some(({ from, to }) => from <= each.n && each.n <= to) ?? false;
        return had ? [] : [`${subscriber} missed ${each.n} of ${each.publisher} on ${topic}, published when all worked again`];
      });
    }),
  );
}
