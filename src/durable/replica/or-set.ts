import { NexaError } from '../../errors.ts';
import { both, type Dots, isEmpty, minus, NO_DOTS, nextDot, parseDots, tooMany, union, unionOf } from './dots.ts';
import { canonical, exactly, fieldsOf, misfit, own } from './plain.ts';
import type { Replicated } from './replicated.ts';

/** A set from which is removed what the remover had seen: of an `add` and a `remove` at the same time the `add` stays. */
export interface OrSet {
  /** By the canonical JSON of each element: the additions that are in force. */
  readonly entries: Readonly<Record<string, Dots>>;
  /** Every addition that ever was, whether in force or not: instead of a tombstone for each. */
  readonly seen: Dots;
}
export interface OrSetDigest {
  readonly seen: Dots;
  readonly live: Dots;
}
export interface OrSetType<Element> extends Replicated<OrSet, OrSetDigest> {
  /**
   * The delta that adds it. `replica` names who adds, and nobody else may ever use that name for this set: merge the delta and store
   * the set before anything of it is sent.
   * @throws NexaError `quota-exceeded` at 4,000 elements, `payload-too-large` (an element above 1,024 bytes), `not-encodable`, `bad-id`.
   */
  add(set: OrSet, element: Element, replica: string): OrSet;
  /** The delta that removes it, or all of them; nothing of the kind there: a delta without effect. */
  remove(set: OrSet, element: Element): OrSet;
  clear(set: OrSet): OrSet;
  has(set: OrSet, element: Element): boolean;
  size(set: OrSet): number;
  /** In the order of their canonical JSON, the same at every replica. */
  elements(set: OrSet): readonly Element[];
}

/** Elements that one may add. Replicas that add at the same time may pass it together, up to what is refused for good. */
const MOST_TO_ADD = 4_000;
const MOST_ELEMENTS = 5_000;
const MOST_ELEMENT_BYTES = 1_024;

const EMPTY: OrSet = { entries: {}, seen: NO_DOTS };

/** Elements are plain JSON data: texts, numbers, or small objects, which are equal when their canonical JSON is. */
export function orSet<Element>(): OrSetType<Element> {
  const keyOf = (element: Element): string => canonical(element, MOST_ELEMENT_BYTES);
  return {
    empty: EMPTY,
    add(set, element, replica) {
      const key = keyOf(element);
      if (own(set.entries, key) === undefined && Object.keys(set.entries).length >= MOST_TO_ADD)
        throw new NexaError('quota-exceeded', `a replicated set has ${MOST_TO_ADD} elements at the most`, {
          fix: 'Remove elements, or spread them over several sets.',
        });
      const dot = nextDot(set.seen, replica);
      return { entries: { [key]: dot }, seen: union(own(set.entries, key) ?? NO_DOTS, dot) };
    },
    remove: (set, element) => ({ entries: {}, seen: own(set.entries, keyOf(element)) ?? NO_DOTS }),
    clear: (set) => ({ entries: {}, seen: live(set) }),
    has: (set, element) => Object.hasOwn(set.entries, keyOf(element)),
    size: (set) => Object.keys(set.entries).length,
    elements: (set) =>
      Object.keys(set.entries)
        .sort()
        .map((key) => JSON.parse(key) as Element),
    merge,
    digest: (set) => ({ seen: set.seen, live: live(set) }),
    deltaSince,
    parse,
    parseDigest(data) {
      const { seen, live } = exactly(data, 'digest.', ['seen', 'live']);
      return { seen: parseDots(seen, 'digest.seen'), live: parseDots(live, 'digest.live') };
    },
  };
}

const live = (set: OrSet): Dots => unionOf(Object.values(set.entries));

/** Stays what both have, and what one has and the other has never seen. What the other has seen and has not, was removed there. */
function merge(a: OrSet, b: OrSet): OrSet {
  const entries: Record<string, Dots> = {};
  const put = (key: string, dots: Dots): void => {
    if (!isEmpty(dots)) entries[key] = dots;
  };
  for (const [key, dots] of Object.entries(a.entries)) {
    const other = own(b.entries, key);
    put(key, other === undefined ? minus(dots, b.seen) : union(both(dots, other), union(minus(dots, b.seen), minus(other, a.seen))));
  }
  for (const [key, dots] of Object.entries(b.entries)) if (!Object.hasOwn(a.entries, key)) put(key, minus(dots, a.seen));
  const merged = { entries, seen: union(a.seen, b.seen) };
  if (Object.keys(entries).length > MOST_ELEMENTS || tooMany(merged.seen))
    throw new NexaError('quota-exceeded', `a replicated set holds ${MOST_ELEMENTS} elements at the most`, {
      fix: 'Remove elements, or spread them over several sets.',
    });
  return merged;
}

/** Additions that they have not seen, whether in force here or not; and of what is in force there, what was removed here. */
function deltaSince(set: OrSet, digest: OrSetDigest): OrSet | undefined {
  const entries: Record<string, Dots> = {};
  for (const [key, dots] of Object.entries(set.entries)) {
    const news = minus(dots, digest.seen);
    if (!isEmpty(news)) entries[key] = news;
  }
  const removed = minus(both(digest.live, set.seen), live(set));
  const seen = union(minus(set.seen, digest.seen), removed);
  return isEmpty(seen) ? undefined : { entries, seen };
}

function parse(data: unknown): OrSet {
  const { entries, seen } = exactly(data, '', ['entries', 'seen']);
  const set = { seen: parseDots(seen, 'seen'), entries: entries as OrSet['entries'] };
  for (const [key, dots] of fieldsOf(entries, 'entries', MOST_ELEMENTS)) {
    const at = `entries.${key.slice(0, 128)}`;
    if (!isCanonical(key)) throw misfit(at, 'is not the canonical JSON of an element');
    if (isEmpty(parseDots(dots, at)) || !isEmpty(minus(dots as Dots, set.seen)))
      throw misfit(at, 'has additions that are not among those seen');
  }
  return set;
}
function isCanonical(key: string): boolean {
  try {
    return canonical(JSON.parse(key), MOST_ELEMENT_BYTES) === key;
  } catch {
    return false;
  }
}
