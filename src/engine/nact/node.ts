import { Actor, type Parent, type Path, type System } from 'nact/lib/actor.js';
import { ActorReference } from 'nact/lib/references.js';
import type { Handle, Turnable } from '../../actor/engine.ts';
import type { Dispatcher } from './dispatcher.ts';

const SYSTEM = 1;
const USER = 2;
const nothing = () => {};
/** Given to nact's constructor so that it makes no closures of its own per actor. */
const PROPERTIES = { afterStop: nothing, onCrash: nothing };
const NOBODY: ReadonlyMap<string, Actor> = new Map();
const NOWHERE: Path = { parts: [], createChildPath: () => NOWHERE };
/** nact's constructor is running: it makes a path and a reference for each actor, which hardly ever anybody asks for. */
let making = false;

/**
 * One actor as nact sees it: a node of nact's tree, made by nact's own base class, with nact's names, paths and references. nact's
 * dispatch, query and stop reach it; its mailbox, turns, faults and end are the cell's. The reasons, measured and reproduced,
 * are in docs/decisions/0001-nact-is-subclassed.md.
 */
export class Node extends Actor implements Handle {
  // nact's constructor assigns to this name before a field of this class exists.
  declare private known: object | undefined;
  private readonly cell: Turnable;
  private readonly dispatcher: Dispatcher;
  private lanes = 0;

  private constructor(parent: Parent, system: System, cell: Turnable, dispatcher: Dispatcher) {
    super(parent, nactName(cell.name), system, nothing, PROPERTIES);
    this.cell = cell;
    this.dispatcher = dispatcher;
  }
  static below(parent: Node | undefined, system: System, cell: Turnable, dispatcher: Dispatcher): Node {
    making = parent !== undefined;
    try {
      return new Node(parent ?? system, system, cell, dispatcher);
    } finally {
      making = false;
    }
  }

  // ── what the kernel asks

  schedule(lane: 'system' | 'user'): void {
    const bit = lane === 'user' ? USER : SYSTEM;
    if ((this.lanes & bit) !== 0 || this.stopped) return;
    this.lanes |= bit;
    if (bit === USER) this.dispatcher.ready(this);
    else this.dispatcher.urgent(this);
  }
  remove(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.parent?.childStopped(this);
    this.parent = undefined;
  }

  // ── what the dispatcher asks

  turn(urgent: boolean, limit: number): number {
    this.lanes &= urgent ? ~SYSTEM : ~USER;
    return this.stopped ? 0 : this.cell.turn(limit);
  }

  // ── what nact asks

  /** The kernel keeps the children; nact is shown them. */
  override get children(): Map<string, Actor> {
    return (making ? NOBODY : new Map(this.shown())) as Map<string, Actor>;
  }
  override set children(_: Map<string, Actor>) {}
  override get path(): Path {
    return making ? NOWHERE : (this.parent ?? this.system).path.createChildPath(this.name);
  }
  override set path(_: Path) {}
  override get reference(): object {
    if (making) return NOWHERE;
    this.known ??= new ActorReference(this.system.name, (this.parent ?? this.system).reference, this.path, this.name);
    return this.known;
  }
  override set reference(_: object) {}
  get childReferences(): Map<string, object> {
    return new Map([...this.shown()].map(([name, child]) => [name, child.reference]));
  }
  set childReferences(_: Map<string, object>) {}

  // The registry has looked at the name, and the cell's parent knows its children.
  override childSpawned(): void {}
  override childStopped(): void {}
  private *shown(): Iterable<[string, Node]> {
    for (const { handle } of this.cell.children?.values() ?? []) {
      const node = handle as Node;
      if (!node.stopped) yield [node.name, node];
    }
  }
  override initializeState(): void {}
  override dispatch(message: unknown): void {
    this.cell.accept(message);
  }
  /** nact's stop is a wish here: graceful, children first. */
  override stop(): void {
    this.cell.requestStop();
  }
  // Faults and restarts are decided by strategies, never by nact's actions.
  override reset(): void {}
  override resume(): void {}
  override handleFault(): void {}
}

/** What nact's constructor gives each actor and these have no use for: taken by accessors, so that none of them carries it. */
for (const [name, value] of Object.entries({
  afterStop: nothing,
  busy: false,
  f: nothing,
  immediate: undefined,
  initialState: undefined,
  initialStateFunc: undefined,
  log: undefined,
  mailbox: undefined,
  onCrash: nothing,
  setTimeout: nothing,
}))
  Object.defineProperty(Node.prototype, name, { get: () => value, set: nothing });

/** nact takes fewer characters in a name than we do; what it would refuse is spelled out. */
function nactName(name: string): string {
  return name.replace(/[^a-z0-9\-_.+!*'(),]/gi, (character) => `$${character.charCodeAt(0).toString(16)}`);
}
