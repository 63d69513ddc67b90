// nact's own types cover its public face and check nothing (`Ref<T>` ignores T); these are of the parts that the engine builds on.
declare module 'nact/lib/actor.js' {
  export interface Path {
    readonly parts: readonly string[];
    createChildPath(name: string): Path;
  }
  /** What an actor needs of what it hangs below: another actor or the system. */
  export interface Parent {
    readonly children: Map<string, Actor>;
    readonly path: Path;
    readonly reference: object;
    childSpawned(child: Actor): void;
    childStopped(child: Actor): void;
  }
  export interface System extends Parent {
    readonly name: string;
    stop(): void;
  }
  export class Actor implements Parent {
    constructor(parent: Parent, name: string, system: System, handler: (state: unknown, message: unknown) => unknown, properties?: object);
    get children(): Map<string, Actor>;
    set children(children: Map<string, Actor>);
    get path(): Path;
    set path(path: Path);
    get reference(): object;
    set reference(reference: object);
    readonly name: string;
    readonly system: System;
    parent: Parent | undefined;
    stopped: boolean;
    initializeState(): void;
    childSpawned(child: Actor): void;
    childStopped(child: Actor): void;
    dispatch(message: unknown, sender?: unknown): void;
    query(message: unknown, timeout: number): Promise<unknown>;
    stop(): void;
    reset(): void;
    resume(): void;
    handleFault(message: unknown, sender: unknown, error: unknown, child?: unknown): void;
  }
}
declare module 'nact/lib/references.js' {
  import type { Path } from 'nact/lib/actor.js';
  export class ActorReference {
    constructor(systemName: string, parent: object, path: Path, name: string);
  }
}
declare module 'nact/lib/system-map.js' {
  import type { System } from 'nact/lib/actor.js';

  const systemMap: { find(name: string): System | undefined };
  export default systemMap;
}
