import nact from 'nact';
import systemMap from 'nact/lib/system-map.js';
import type { Engine, Handle, Turnable } from '../../actor/engine.ts';
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { Node } from './node.ts';

/** Turns cells as nodes of an actor tree of nact. Each engine has a nact system of its own, with a name nobody else has. */
export function nactEngine(options: DispatcherOptions = {}): Engine {
  const { name } = (nact.start() as unknown as { readonly system: { readonly name: string } }).system;
  const system = systemMap.find(name);
  if (system === undefined) throw new Error('nact does not know the system it has just started: two copies of nact are loaded');
  const dispatcher = new Dispatcher(options);
  return {
    start(cell: Turnable, parent?: Handle): Handle {
      return Node.below(parent as Node | undefined, system, cell, dispatcher);
    },
    idle: () => dispatcher.idle,
    stop(): void {
      dispatcher.stop();
      system.stop();
    },
  };
}
export type { DispatcherOptions };
