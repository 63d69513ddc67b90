import { type Address, formatAddress } from '../actor/address.ts';
import type { Terminated } from '../actor/signal.ts';
import type { Entry } from './copy.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import { agentKey } from './subject.ts';

type AgentAddress = Extract<Address, { kind: 'agent' }>;

/** Watches of agents by name, of this node's actors. They hear of its end, not of a move; every node reads that off its own copy. */
export interface AgentWatches {
  watch(target: AgentAddress, watcher: Address): void;
  unwatch(target: AgentAddress, watcher: Address): void;
  changed(key: string, now: Entry<Place> | undefined): void;
  readonly size: number;
}

export function agentWatches(options: {
  readonly places: () => Places;
  readonly terminated: (watcher: Address, target: Address, reason: Terminated['reason']) => void;
}): AgentWatches {
  const watches = new Map<string, Map<string, { readonly target: AgentAddress; readonly watcher: Address }>>();
  const end = (key: string, reason: Terminated['reason']): void => {
    const ended = watches.get(key);
    watches.delete(key);
    for (const { target, watcher } of ended?.values() ?? []) options.terminated(watcher, target, reason);
  };
  const look = (key: string, now: Entry<Place> | undefined): void => {
    if (now === undefined) end(key, 'unknown');
    else if (now.value.desired === 'stopped') end(key, 'stopped');
    else if (now.value.desired === 'quarantined') end(key, 'failed');
  };
  return {
    watch(target, watcher) {
      const key = agentKey(target.type, target.id);
      const known = watches.get(key) ?? new Map();
      known.set(formatAddress(watcher), { target, watcher });
      watches.set(key, known);
      // What the copy does not show as running is asked of the store first: it may just have been spawned.
      if (options.places().get(key)?.value.desired !== 'running') {
        void options
          .places()
          .refresh(key)
          .then(() => look(key, options.places().get(key)));
      }
    },
    unwatch(target, watcher) {
      const key = agentKey(target.type, target.id);
      const known = watches.get(key);
      known?.delete(formatAddress(watcher));
      if (known?.size === 0) watches.delete(key);
    },
    changed: (key, now) => {
      if (watches.has(key)) look(key, now);
    },
    get size() {
      return watches.size;
    },
  };
}
