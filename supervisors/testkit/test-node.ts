import type { NexaError } from '../../src/errors.ts';
import type { MemberNode } from '../member.ts';
import type { NexaNode } from '../node-contract.ts';
import { LEAVE_MS, NodeFace } from '../node-face.ts';
import type { Pump } from './pump.ts';
import type { SimNode, SimWorld } from './world.ts';

/** One node incarnation of a test cluster, as its program would see it. */
export class TestNode extends NodeFace implements NexaNode {
  readonly sim: SimNode;
  readonly done: Promise<void>;
  readonly #world: SimWorld;
  readonly #pump: Pump;
  #end: { resolve: () => void; reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };
  #stopping: Promise<void> | undefined;

  constructor(sim: SimNode, member: MemberNode, { world, pump }: { readonly world: SimWorld; readonly pump: Pump }) {
    super(sim.name, member, (promise) => pump.until(promise, sim));
    this.sim = sim;
    this.#world = world;
    this.#pump = pump;
    this.done = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.done.catch(() => undefined);
    pump.follow(member.system, sim);
    this.become('running');
  }

  stop(): Promise<void> {
    if (this.state === 'stopped') return Promise.resolve();
    this.#stopping ??= this.#pump.until(this.#leave(), this.sim);
    return this.#stopping;
  }
  async #leave(): Promise<void> {
    this.become('stopping');
    await this.#world.leave(this.name, LEAVE_MS);
    if (this.state === 'stopped') return;
    this.become('stopped');
    this.#end.resolve();
  }
  /** It was killed, or is over. */
  ended(error: NexaError): void {
    if (this.state === 'stopped') return;
    if (this.state !== 'stopping') this.become('error');
    this.become('stopped');
    this.#end.reject(error);
    this.#pump.ended(this.sim);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
