/** One handled request: its id and the encoded reply that a repeat gets. */
export type HandledRequest = readonly [id: string, reply: Uint8Array];

export const RING_COUNT = 256;
/** Of all kept replies together; the newest is always kept. */
export const RING_BYTES = 131_072;

/**
 * The last requests that changed an agent's state. Part of its record, so that remembering is as durable as the effect: a table
 * in memory alone gives two effects when the owner changes between a request and its repeat.
 */
export function remember(ring: readonly HandledRequest[], handled: HandledRequest): readonly HandledRequest[] {
  const next = [...ring.filter(([id]) => id !== handled[0]), handled].slice(-RING_COUNT);
  let bytes = 0;
  let from = next.length;
  while (from > 0) {
    const [id, reply] = next[from - 1] as HandledRequest;
    bytes += id.length + reply.byteLength + 8;
    if (bytes > RING_BYTES && from < next.length) break;
    from--;
  }
  return from === 0 ? next : next.slice(from);
}

export const recall = (ring: readonly HandledRequest[], id: string): Uint8Array | undefined => ring.find(([known]) => known === id)?.[1];
