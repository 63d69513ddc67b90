import { NexaError } from '../../errors.ts';
import { type Candidate, type Routing, type RoutingSpec, routing } from './routing.ts';

export interface ConsistentHashOptions {
  /** Points of each routee on the ring: more of them share the keys more evenly and cost more when the routees change. 1 … 1,000, default 100. */
  readonly virtualNodes?: number;
}
/** Points in order, and whose each of them is. */
export interface Ring {
  readonly of: readonly Candidate[];
  readonly points: Uint32Array;
  readonly owners: Uint32Array;
}

/**
 * Equal keys go to the same routee as long as it is there. The routees own pieces of a ring; when one leaves, only its pieces pass to
 * others, so only its keys move. @throws NexaError `invalid-definition`
 */
export function consistentHashSpec<M>(
  keyOf: (message: M) => string,
  { virtualNodes = 100 }: ConsistentHashOptions = {},
): RoutingSpec<M, Ring | undefined, never> {
  if (!(Number.isInteger(virtualNodes) && virtualNodes >= 1 && virtualNodes <= 1_000))
    throw new NexaError('invalid-definition', `virtualNodes is to be an integer from 1 to 1,000, not ${virtualNodes}`);
  return {
    name: 'consistent-hash',
    start: undefined,
    choose: (known, candidates, message) => {
      const key = keyFor(keyOf, message);
      const ring = known?.of === candidates ? known : ringOf(candidates, virtualNodes);
      return [ownerOf(ring, hashOf(key)), ring];
    },
  };
}

/** By a key of the message. @throws NexaError `invalid-definition` */
export const consistentHash = <M>(keyOf: (message: M) => string, options?: ConsistentHashOptions): Routing<M> =>
  routing(consistentHashSpec(keyOf, options));

function keyFor<M>(keyOf: (message: M) => string, message: M): string {
  let key: unknown;
  try {
    key = keyOf(message);
  } catch (cause) {
    throw new NexaError('invalid-message', 'its key for the router cannot be told', { cause, definite: true });
  }
  if (typeof key === 'string') return key;
  throw new NexaError('invalid-message', `its key for the router is a ${typeof key}, not a text`, { definite: true });
}

function ringOf(candidates: readonly Candidate[], virtualNodes: number): Ring {
  const all = candidates.flatMap(({ key }, owner) =>
    Array.from({ length: virtualNodes }, (_, point) => ({ point: hashOf(`${key} ${point}`), key, owner })),
  );
  // Two that meet at one point: the order of their keys decides, and not that of the list.
  all.sort((a, b) => a.point - b.point || (a.key < b.key ? -1 : 1));
  return { of: candidates, points: Uint32Array.from(all, ({ point }) => point), owners: Uint32Array.from(all, ({ owner }) => owner) };
}

/** Whose the first point at or after this one is, around the ring. */
function ownerOf({ points, owners }: Ring, hash: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return owners[low === points.length ? 0 : low] as number;
}

/** FNV-1a over the text's code units, and the last steps of MurmurHash3, because similar texts are to land far from each other. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
