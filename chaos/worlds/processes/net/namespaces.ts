import { NexaError } from '../../../../src/errors.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { Environment } from '../../../../src/programs/cache.ts';
import type { Place } from '../../../act.ts';
import type { Tier } from '../../../plan.ts';
import type { Net, NetAct } from '../net.ts';
import type { Owner } from '../owner.ts';
import { HEAL, lose, type Pair, put, take } from './packet-filter.ts';
import { PlaceRelay } from './place-relay.ts';
import { Places } from './places.ts';
import { type NetTools, Switch } from './switch.ts';

/** Where the process of the net stands itself, so that it can dial without further ado. */
const OWN_PLACE: Place = 'client';

export interface NamespaceOptions {
  /** How this process came into namespaces of its own. */
  readonly tier: Exclude<Tier, 'proxies'>;
  readonly tools: NetTools;
  /** Its own; it is not looked into from outside. */
  readonly folder: string;
  readonly env: Environment;
  readonly clock: Clock;
  /** Of what is drawn in relays. */
  readonly seed: number;
  /** Programs dial through a relay beside them, which alone can delay and slice; their connections then come about before they cross a link. */
  readonly proxied: boolean;
  /** Programs run as this user of the machine instead of as the net's own process. */
  readonly as?: Owner;
}

const addressOf = (number: number): string => `10.77.0.${number}`;

/** A machine for each place, wired to one switch: packets are dropped, cables are pulled, and the kernel does to connections what it does then. */
export class NamespaceNet implements Net {
  readonly tier: Tier;
  readonly #options: NamespaceOptions;
  readonly #switch: Switch;
  readonly #places = new Places();
  readonly #wired = new Map<Place, Promise<void>>();
  readonly #relays = new Map<Place, PlaceRelay>();
  readonly #lost = new Map<string, number>();
  /** What relays that begin later have to be told. */
  readonly #standing = new Map<string, NetAct>();

  private constructor(options: NamespaceOptions, made: Switch) {
    this.tier = options.tier;
    this.#options = options;
    this.#switch = made;
  }

  /** In a process that `chooseTier` says how to start. @throws NexaError `unavailable` */
  static async open(options: NamespaceOptions): Promise<NamespaceNet> {
    return new NamespaceNet(options, await Switch.open(options));
  }

  add(place: Place): Promise<void> {
    let wired = this.#wired.get(place);
    if (wired === undefined) {
      const number = this.#places.add(place);
      wired = this.#switch.wire(place, number, addressOf(number), place === OWN_PLACE);
      this.#wired.set(place, wired);
    }
    return wired;
  }

  hostOf(place: Place): string {
    return addressOf(this.#places.number(place));
  }

  at(place: Place): readonly string[] {
    this.#places.number(place);
    const { as } = this.#options;
    const user = as === undefined ? [] : ['--setgid', String(as.gid), '--setuid', String(as.uid)];
    return place === OWN_PLACE && as === undefined ? [] : ['nsenter', `--net=${this.#switch.handle(place)}`, ...user, '--'];
  }

  async reach(from: Place, to: Place, port: number): Promise<string> {
    const [own, host] = [this.hostOf(from), this.hostOf(to)];
    if (!this.#options.proxied || own === host) return `${host}:${port}`;
    let relay = this.#relays.get(from);
    if (relay === undefined) {
      relay = new PlaceRelay(from, this.at(from), this.#options);
      this.#relays.set(from, relay);
      for (const act of this.#standing.values()) void relay.act(act).catch(() => {});
    }
    return relay.reach(to, host, port);
  }

  cannot(act: NetAct['act']): string | undefined {
    if (this.#options.proxied || (act !== 'delay' && act !== 'slice')) return undefined;
    return 'only relays delay and slice, and this net was opened without them';
  }

  async act(act: NetAct): Promise<void> {
    this.#places.check(act);
    switch (act.act) {
      case 'cut':
        return this.#switch.filter(put('cut', this.#pair(act)));
      case 'mend':
        return this.#switch.filter(take('cut', this.#pair(act)));
      case 'half-open': {
        const [from, to] = this.#pair(act);
        const change = act.on ? put : take;
        return this.#switch.filter(change('silent', [from, to]) + change('silent', [to, from]));
      }
      case 'loss':
        return this.#lose(this.#pair(act), act.percent);
      case 'link-down':
      case 'link-up':
        return this.#switch.cables([this.#places.number(act.place)], act.act === 'link-up' ? 'up' : 'down');
      case 'reset': {
        const [from, to] = this.#pair(act);
        await Promise.all([this.#switch.endSockets(act.from, to), this.#switch.endSockets(act.to, from)]);
        return;
      }
      case 'delay':
      case 'slice': {
        const reason = this.cannot(act.act);
        if (reason !== undefined) throw new NexaError('unavailable', reason, { where: { act: act.act } });
        this.#standing.set(`${act.act} ${act.from}>${act.to}`, act);
        return this.#tellRelays(act);
      }
      case 'heal':
        this.#lost.clear();
        this.#standing.clear();
        await this.#switch.filter(HEAL);
        await this.#switch.cables(
          this.#places.all.map((place) => this.#places.number(place)),
          'up',
        );
        return this.#tellRelays(act);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
    await Promise.allSettled(this.#wired.values());
    await this.#switch.close();
  }

  #pair({ from, to }: { readonly from: Place; readonly to: Place }): Pair {
    return [this.hostOf(from), this.hostOf(to)];
  }

  async #lose(pair: Pair, percent: number): Promise<void> {
    const key = pair.join('>');
    const before = this.#lost.get(key) ?? 0;
    if (before === percent) return;
    this.#lost.set(key, percent);
    await this.#switch.filter(lose(pair, before, percent));
  }

  async #tellRelays(act: NetAct): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.act(act)));
  }
}
