import type { Clock } from '../../../../src/ports/clock.ts';
import type { Random } from '../../../../src/ports/random.ts';
import type { Place } from '../../../act.ts';
import type { Net, NetAct } from '../net.ts';
import { Places } from './places.ts';
import { Relay } from './relay.ts';
import { Ways } from './ways.ts';

const LOOPBACK = '127.0.0.1';

/**
 * Everything on this machine's loopback, and a proxy for each way: no privileges, on any system. Who dials by `reach` alone meets the
 * faults; packets, addresses and the kernel's own timeouts do not. What listens at two places needs two ports.
 */
export class ProxyNet implements Net {
  readonly tier = 'proxies';
  readonly #options: { readonly clock: Clock; readonly random: Random };
  readonly #places = new Places();
  readonly #ways = new Ways();
  readonly #relays = new Map<string, Promise<Relay>>();

  constructor(options: { readonly clock: Clock; readonly random: Random }) {
    this.#options = options;
  }

  async add(place: Place): Promise<void> {
    if (!this.#places.has(place)) this.#places.add(place);
  }

  hostOf(place: Place): string {
    this.#places.number(place);
    return LOOPBACK;
  }

  at(place: Place): readonly string[] {
    this.#places.number(place);
    return [];
  }

  async reach(from: Place, to: Place, port: number): Promise<string> {
    this.#places.number(from);
    this.#places.number(to);
    if (from === to) return `${LOOPBACK}:${port}`;
    const key = `${from}>${to}:${port}`;
    let relay = this.#relays.get(key);
    if (relay === undefined) {
      relay = Relay.open({ from, to, target: { host: LOOPBACK, port }, ways: this.#ways, ...this.#options });
      this.#relays.set(key, relay);
    }
    return (await relay).address;
  }

  cannot(): undefined {
    return undefined;
  }

  async act(act: NetAct): Promise<void> {
    this.#places.check(act);
    this.#ways.act(act);
    if (act.act !== 'reset') return;
    const ends = [act.from, act.to];
    for (const relay of await Promise.all(this.#relays.values())) if (ends.includes(relay.from) && ends.includes(relay.to)) relay.reset();
  }

  async close(): Promise<void> {
    const relays = await Promise.allSettled(this.#relays.values());
    this.#relays.clear();
    await Promise.all(relays.map((relay) => (relay.status === 'fulfilled' ? relay.value.close() : undefined)));
  }
}
