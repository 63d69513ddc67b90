import { Actor, type Parent, type System } from 'nact/lib/actor.js';
import { ActorReference } from 'nact/lib/references.js';
import type { Handle, Turnable } from '../../actor/engine.ts';
import type { Dispatcher } from './dispatcher.ts';

const SYSTEM = 1;
const USER = 2;
const nothing = () => {};
/** Given to nact's constructor so that it makes no closures of its own per actor. */
const PROPERTIES = { afterStop: nothing, onCrash: nothing };

/**
 * One actor as nact sees it: a node of nact's tree, made by nact's own base class, with nact's names, paths and references. nact's
 * dispatch, query and stop reach it; its mailbox, turns, faults and end are the cell's. The reasons, measured and reproduced,
 * are in docs/decisions/0001-nact-is-subclassed.md.
 */
export class Node extends Actor implements Handle {
  // nact's constructor assigns to these names before a field of this class exists: accessors take what is not needed.
  declare private own: Map<string, Actor> | undefined;
  declare private known: object | undefined;
  private readonly cell: Turnable;
  private readonly dispatcher: Dispatcher;
  private lanes = 0;

  constructor(parent: Parent, system: System, cell: Turnable, dispatcher: Dispatcher) {
    super(parent, nactName(cell.name), system, nothing, PROPERTIES);
    this.cell = cell;
    this.dispatcher = dispatcher;
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

  override get children(): Map<string, Actor> {
    this.own ??= new Map();
    return this.own;
  }
  override set children(_: Map<string, Actor>) {
    this.own = undefined;
  }
  override get reference(): object {
    this.known ??= new ActorReference(this.system.name, (this.parent ?? this.system).reference, this.path, this.name);
    return this.known;
  }
  override set reference(_: object) {
    this.known = undefined;
  }
  /** nact keeps a second map of references; made from the first when somebody looks. */
  get childReferences(): Map<string, object> {
    return new Map([...(this.own ?? [])].map(([name, child]) => [name, child.reference]));
  }
  set childReferences(_: Map<string, object>) {}
  get mailbox(): unknown {
    return undefined;
  }
  set mailbox(_: unknown) {}

  override childSpawned(child: Actor): void {
    this.children.set(child.name, child);
  }
  override childStopped(child: Actor): void {
    this.own?.delete(child.name);
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

/** nact takes fewer characters in a name than we do; what it would refuse is spelled out. */
function nactName(name: string): string {
  return name.replace(/[^a-z0-9\-_.+!*'(),]/gi, (character) => `$${character.charCodeAt(0).toString(16)}`);
}
