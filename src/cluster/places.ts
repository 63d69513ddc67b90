import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Kv } from '../ports/stores.ts';
import { type Copy, type CopyListener, watchedCopy } from './copy.ts';
import { type AgentRecord, decodeAgent, type Place, unreadablePlace } from './place.ts';

/** Where every agent of the cluster is: each node's own copy of the bucket AGENTS. */
export interface Places extends Copy<Place> {
  /** As {@link Copy.apply}, for whoever has the whole record. */
  saw(key: string, record: AgentRecord, revision: number): void;
}

/** Different places that are remembered to be shared. Past it sharing begins anew, and costs a little memory. */
const SHARED = 4_096;

export function watchedPlaces(options: {
  readonly kv: Kv;
  readonly codec: Codec;
  readonly onChange: CopyListener<Place>;
  readonly onLive: () => void;
  readonly storeMs: number;
  readonly log: Logger;
}): Places {
  const shared = sharedPlaces();
  const copy = watchedCopy<Place>({
    ...options,
    prefix: '',
    store: 'AGENTS',
    decode: (bytes, key) => shared(decodeAgent(bytes, options.codec, key)),
    unreadable: unreadablePlace,
    onReset: () => undefined,
  });
  return Object.assign(copy, { saw: (key: string, record: AgentRecord, revision: number) => copy.apply(key, shared(record), revision) });
}

/** Thousands of agents of one type are on one node for one reason: all of them have one object. */
function sharedPlaces(): (record: AgentRecord) => Place {
  const places = new Map<string, Place>();
  return ({ type, owner, prefer, desired, version, placement, restart, why, cause }) => {
    const place = { type, owner, prefer, desired, version, placement, restart, why, cause };
    let name: string;
    try {
      name = JSON.stringify([type, owner?.node, owner?.incarnation, prefer, desired, version, placement, restart, why, cause]);
    } catch {
      // A wish with an integer that is none of ours: nobody shares it.
      return place;
    }
    const known = places.get(name);
    if (known !== undefined) return known;
    if (places.size >= SHARED) places.clear();
    places.set(name, place);
    return place;
  };
}
