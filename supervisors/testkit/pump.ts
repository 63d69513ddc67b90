import { ambient } from '../../src/actor/ambient.ts';
import type { LiveRef } from '../../src/actor/live-ref.ts';
import type { System } from '../../src/actor/system.ts';
import { NexaError, toNexaError } from '../../src/errors.ts';
import type { SimNode, SimWorld } from './world.ts';

interface Waiter {
  /** Through which it was asked for: what is asked of a node that ends has no other end. */
  readonly via: SimNode;
  readonly fail: (error: NexaError) => void;
}

/**
 * Who moves virtual time. What the test asks for explicitly comes one after the other; between, time moves by itself exactly as long
 * as the test awaits something of the world, from one timer to the next, each after everything before it has come to rest.
 */
export class Pump {
  readonly #world: SimWorld;
  readonly #seed: number;
  readonly #waiters = new Set<Waiter>();
  #explicit = 0;
  #last: Promise<unknown> = Promise.resolve();
  #pumping = false;
  #closed = false;

  constructor(world: SimWorld, seed: number) {
    this.#world = world;
    this.#seed = seed;
  }

  /** Time moves until it settles. */
  until<T>(promise: Promise<T>, via: SimNode): Promise<T> {
    if (this.#closed || !via.alive) {
      promise.catch(() => undefined);
      return Promise.reject(this.#closed ? this.closed() : this.lost(via));
    }
    let give: (error: NexaError) => void = () => undefined;
    const waiter: Waiter = {
      via,
      fail: (error) => {
        this.#waiters.delete(waiter);
        // Nobody may look at it any more: then it is no unhandled rejection.
        outcome.catch(() => undefined);
        give(error);
      },
    };
    const outcome = new Promise<T>((resolve, reject) => {
      give = reject;
      promise.then(
        (value) => {
          this.#waiters.delete(waiter);
          resolve(value);
        },
        (error) => {
          this.#waiters.delete(waiter);
          reject(this.#named(error));
        },
      );
    });
    this.#waiters.add(waiter);
    void this.#pump();
    return outcome;
  }

  /** Everything that the test awaits of this system's actors. Refs find their way through their system: it is the one place all pass. */
  follow(system: System, via: SimNode): void {
    const { ask, stream, ready, tellDurably, receptionist } = system;
    /** An actor's own await is no reason to move time. */
    const outside = <T>(promise: Promise<T>, ref?: LiveRef): Promise<T> =>
      (ref === undefined ? ambient.cell : ref.sender()) === undefined ? this.until(promise, via) : promise;
    Object.assign(system, {
      ask: (...given: Parameters<System['ask']>) => outside(ask.apply(system, given), given[0]),
      tellDurably: (...given: Parameters<System['tellDurably']>) => outside(tellDurably.apply(system, given), given[0]),
      ready: (...given: Parameters<System['ready']>) => outside(ready.apply(system, given)),
      stream: (...given: Parameters<System['stream']>) => {
        const items = stream.apply(system, given);
        return given[0].sender() === undefined ? this.#items(items, via) : items;
      },
    } satisfies Partial<System>);
    system.services = {
      register: (...given) => outside(receptionist.register(...given)),
      deregister: (...given) => outside(receptionist.deregister(...given)),
      find: (...given) => receptionist.find(...given),
      routees: (...given) => receptionist.routees(...given),
      subscribe: (...given) => receptionist.subscribe(...given),
    };
  }
  #items(items: AsyncIterable<unknown>, via: SimNode): AsyncIterable<unknown> {
    const iterator = items[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => this.until(iterator.next(), via),
        return: async (value) => (iterator.return === undefined ? { done: true, value } : this.until(iterator.return(value), via)),
      }),
    };
  }

  /** What moves time by its own rules, after everything of the kind that was asked for before. */
  move<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.closed());
    this.#explicit++;
    const done = this.#last.then(async () => {
      try {
        if (this.#closed) throw this.closed();
        return await run();
      } catch (error) {
        throw this.#named(error);
      } finally {
        this.#explicit--;
        void this.#pump();
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  get #wanted(): boolean {
    return this.#explicit === 0 && this.#waiters.size > 0 && !this.#closed;
  }
  async #pump(): Promise<void> {
    if (this.#pumping || !this.#wanted) return;
    this.#pumping = true;
    try {
      const came = await this.#world.runWhile(() => this.#wanted);
      if (!came) this.#failAll(new NexaError('unavailable', 'nothing happens any more in this world'));
    } catch (error) {
      this.#failAll(this.#named(error));
    } finally {
      this.#pumping = false;
      // Asked for while the last round was ending.
      void this.#pump();
    }
  }

  /** A node has ended: what was asked through it will not be answered. */
  ended(node: SimNode): void {
    for (const waiter of [...this.#waiters]) if (waiter.via === node) waiter.fail(this.lost(node));
  }
  close(): void {
    this.#closed = true;
    this.#failAll(this.closed());
  }
  #failAll(error: NexaError): void {
    for (const waiter of [...this.#waiters]) waiter.fail(error);
  }

  closed(): NexaError {
    return this.#named(
      new NexaError('unavailable', 'this test cluster was closed', {
        definite: true,
        fix: 'Await what you ask for before the world is disposed.',
      }),
    );
  }
  lost({ name, incarnation }: SimNode): NexaError {
    const where = { node: name, incarnation: String(incarnation) };
    return this.#named(new NexaError('node-lost', 'the node that was asked through has ended', { where, definite: false }));
  }
  /** For whoever reads of a failure. */
  get replay(): string {
    return `the same run again: testCluster({ seed: ${this.#seed} })`;
  }
  /** With the seed, by which the run is repeated. */
  #named(thrown: unknown): NexaError {
    const error = toNexaError(thrown, 'internal');
    return Object.assign(error, { where: { ...error.where, seed: String(this.#seed) } });
  }
}
