/** One handled request: its id and the encoded reply that a repeat gets. */
export type HandledRequest = readonly [id: string, reply: Uint8Array];

export const RING_COUNT = 256;
/** Of all kept replies together; the newest is always kept. */
export const RING_BYTES = 131_072;

/** Of the replies in a ring: it is asked for with every turn, and counting all of them would cost more than the rest of the turn. */
const sizes = new WeakMap<readonly HandledRequest[], number>();
const sizeOf = ([id, reply]: HandledRequest): number => id.length + reply.byteLength + 8;

/**
 * The last requests that changed an agent's state. Part of its record, so that remembering is as durable as the effect: a table
 * in memory alone gives two effects when the owner changes between a request and its repeat.
 */
export function remember(ring: readonly HandledRequest[], handled: HandledRequest): readonly HandledRequest[] {
  const others = ring.some(([id]) => id === handled[0]) ? ring.filter(([id]) => id !== handled[0]) : ring;
  let bytes = (sizes.get(others) ?? others.reduce((sum, each) => sum + sizeOf(each), 0)) + sizeOf(handled);
  let from = 0;
  while (from < others.length && (others.length - from >= RING_COUNT || bytes > RING_BYTES))
    bytes -= sizeOf(others[from++] as HandledRequest);
  const next = others.slice(from);
  next.push(handled);
  sizes.set(next, bytes);
  return next;
}

export const recall = (ring: readonly HandledRequest[], id: string): Uint8Array | undefined => ring.find(([known]) => known === id)?.[1];
