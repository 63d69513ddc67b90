import { type Address, formatAddress } from '../actor/address.ts';
import type { Receptionist, RegisterOptions, Service, ServiceFilter, ServiceKey } from '../actor/receptionist.ts';
import type { ActorRef, AnyRef } from '../actor/ref.ts';
import type { System } from '../actor/system.ts';
import { NexaError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { Kv } from '../ports/stores.ts';
import type { MessageCodec } from './codec.ts';
import { type Copy, watchedCopy } from './copy.ts';
import { checkMetadata, decodeService, type ServiceRecord } from './service.ts';
import { type Listings, serviceListings } from './service-listing.ts';
import { type ServiceSweep, type SweepTimes, serviceSweep } from './service-sweep.ts';
import { type ServiceWriter, serviceWriter } from './service-writer.ts';
import { agentKey, serviceEntryKey } from './subject.ts';

/** Entries of the whole cluster, as this node's copy counts them. */
const MOST_ENTRIES = 100_000;
const TIMEOUT_MS = 5_000;

export interface ReceptionistOptions {
  readonly kv: Kv;
  readonly system: System;
  readonly codec: MessageCodec;
  readonly log: Logger;
  readonly times: SweepTimes;
  /** Whether an agent, or an actor of another node, is known to have ended. A hint: it hides an entry, and has it deleted. */
  readonly ended: (address: Address) => boolean;
  /** Asks the store about an agent: what is known of it may be old. */
  readonly lookUp: (address: Address) => Promise<void>;
  /** How many nodes go before this one in clearing up; undefined: this one does not. */
  readonly rank: (at: string) => number | undefined;
  /** This node hears what is said. */
  readonly attentive: () => boolean;
}

/** What a program outside the cluster is known by: it renews its entry itself. */
export interface Outsider {
  readonly key: string;
  readonly instance: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly heartbeatMs: number;
}
/** The receptionist of one node, and what the node's own parts may do with it. */
export interface NodeReceptionist extends Receptionist {
  /** Those that live, by instance: also those that are no actors. */
  listing(key: string): readonly ServiceRecord[];
  /** Idempotent by instance; resolves once it is stored. @throws as `register`. */
  enter(outsider: Outsider, options: { readonly timeoutMs: number }): Promise<void>;
  /** False: there is no such entry (any more). @throws NexaError `unavailable`. */
  renew(key: string, instance: string, options: { readonly timeoutMs: number }): Promise<boolean>;
  remove(key: string, instance: string, options: { readonly timeoutMs: number }): Promise<void>;
  /** A node is gone. */
  lookAtAll(): void;
  /** An agent's record changed, by its key in AGENTS. */
  agentChanged(key: string): void;
  stop(): void;
}

/** Services by key over one bucket: each node has a watched copy, writes by compare-and-set, and minds the entries of its own actors. */
export function receptionistOver(options: ReceptionistOptions): NodeReceptionist {
  const { kv, system, codec, log, times } = options;
  const { clock, random } = system;
  /** Where entries are, by whose life they depend on: the key of an agent's record, the text of an actor's address. */
  const byHome = new Map<string, Set<string>>();

  const ended = (record: ServiceRecord, at: string): boolean => {
    const { address } = record;
    if (address === undefined) return sweep.silent(at);
    return system.isMine(address) ? system.resolve(address) === undefined : options.ended(address);
  };
  const copy: Copy<ServiceRecord> = watchedCopy<ServiceRecord>({
    kv,
    prefix: '',
    store: 'SERVICES',
    decode: (bytes, at) => decodeService(bytes, codec, at),
    onChange: (at, now, before) => {
      unindex(at, before?.value.address);
      index(at, now?.value.address);
      listings.changed(now?.value, before?.value);
      sweep.look(at);
    },
    onLive: () => undefined,
    onReset: () => undefined,
    storeMs: times.storeMs,
    log,
  });
  const listings: Listings = serviceListings({
    lives: (record) => !ended(record, serviceEntryKey(record.key, record.instance)),
    clock,
    log,
  });
  const sweep: ServiceSweep = serviceSweep({
    kv,
    copy: () => copy,
    ended,
    confirm: async ({ address }) => {
      if (address !== undefined) await options.lookUp(address);
    },
    rank: ({ address }, at) => (address !== undefined && system.isMine(address) ? 0 : options.rank(at)),
    attentive: () => copy.live && options.attentive(),
    onSilence: (record) => listings.doubted(record),
    clock,
    random,
    times,
  });
  const writer: ServiceWriter = serviceWriter({ kv, copy: () => copy, codec, clock, storeMs: times.storeMs });

  function index(at: string, address: Address | undefined): void {
    if (address === undefined) return;
    const home = lifeOf(address);
    byHome.set(home, (byHome.get(home) ?? new Set()).add(at));
  }
  function unindex(at: string, address: Address | undefined): void {
    if (address === undefined) return;
    const home = lifeOf(address);
    const known = byHome.get(home);
    known?.delete(at);
    if (known?.size === 0) byHome.delete(home);
  }
  const doubt = (at: string): void => {
    const entry = copy.get(at);
    if (entry === undefined) return;
    listings.doubted(entry.value);
    sweep.look(at);
  };
  const homeChanged = (home: string): void => {
    for (const at of byHome.get(home) ?? []) doubt(at);
  };
  // A death of one's own actor; one that is missed here is seen by the next round.
  const stopListening = system.events.subscribe((event) => {
    if (event.event === 'stopped' && byHome.size > 0 && event.address.kind === 'incarnation') homeChanged(lifeOf(event.address));
  });

  const enter = (
    given: Pick<ServiceRecord, 'key' | 'instance' | 'address' | 'metadata' | 'heartbeatMs'>,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<void> => {
    const { key, instance } = given;
    const at = serviceEntryKey(key, instance);
    const where = { service: key.slice(0, 128), instance: instance.slice(0, 128) };
    const fresh = {
      ...given,
      metadata: checkMetadata(given.metadata, codec, where),
      nonce: random.id(),
      registeredAtMs: Math.round(clock.wallMs()),
    };
    const make = (there: ServiceRecord | undefined): ServiceRecord => {
      if (there === undefined && copy.size >= MOST_ENTRIES)
        throw new NexaError('quota-exceeded', `a cluster lists at most ${MOST_ENTRIES} entries of services`, { where });
      const same = there !== undefined && sameHome(there.address, given.address);
      if (there !== undefined && !same && !ended(there, at)) {
        throw new NexaError('conflict', 'this instance of the service is somebody else, who lives', {
          where,
          fix: 'Choose another instance, or none: then it is made of the address.',
        });
      }
      return same ? { ...fresh, registeredAtMs: there.registeredAtMs } : fresh;
    };
    return writer.put(at, make, { timeoutMs });
  };
  const listing = (key: string, { metadata, node }: ServiceFilter = {}): readonly ServiceRecord[] => {
    const all = listings.of(key).filter(({ address }) => address !== undefined);
    if (metadata === undefined && node === undefined) return all;
    const wanted = Object.entries(metadata ?? {}).map(([name, value]) => [name, JSON.stringify(value)] as const);
    return all.filter(
      (record) =>
        (node === undefined || homeOf(record.address) === node) &&
        wanted.every(([name, value]) => Object.hasOwn(record.metadata, name) && JSON.stringify(record.metadata[name]) === value),
    );
  };
  const served = <M>(record: ServiceRecord): Service<M> => ({
    ...{ key: record.key, instance: record.instance, metadata: record.metadata, registeredAtMs: record.registeredAtMs },
    ref: system.unsafeRef<M>(record.address as Address),
    node: homeOf(record.address),
  });

  return {
    async register<M>(key: ServiceKey<M>, ref: ActorRef<M>, given: RegisterOptions = {}) {
      const { address } = ref;
      const instance = given.instance ?? instanceOf(address);
      if (address.kind === 'incarnation' && address.uid === 0)
        throw new NexaError('invalid-message', 'a place in the tree is no actor', { where: { ref: ref.toJSON() } });
      const gone = (): boolean => (system.isMine(address) ? system.resolve(address) === undefined : options.ended(address));
      if (gone()) {
        await options.lookUp(address);
        if (gone()) throw new NexaError('no-such-actor', 'there is no such actor (any more)', { where: { to: ref.toJSON() } });
      }
      const within = { timeoutMs: given.timeoutMs ?? TIMEOUT_MS };
      await enter({ key: key.name, instance, address, metadata: given.metadata ?? {}, heartbeatMs: undefined }, within);
      return { key: key.name, instance };
    },
    deregister: (key, who, { timeoutMs = TIMEOUT_MS } = {}) =>
      writer.remove(serviceEntryKey(key.name, typeof who === 'string' ? who : instanceOf((who as AnyRef).address)), { timeoutMs }),
    find: (key, filter) => listing(key.name, filter).map((record) => served(record)),
    subscribe: (key, listener) => listings.subscribe(key.name, () => listener(listing(key.name).map((record) => served(record)))),
    routees: (key, filter) => ({
      current: () => listing(key.name, filter).map((record) => system.unsafeRef(record.address as Address)),
      onChange: (listener) =>
        listings.subscribe(key.name, () =>
          listener(listing(key.name, filter).map((record) => system.unsafeRef(record.address as Address))),
        ),
    }),
    listing: (key) => listings.of(key),
    enter: (outsider, within) => enter({ ...outsider, address: undefined }, within),
    renew: (key, instance, within) => writer.renew(serviceEntryKey(key, instance), within),
    remove: (key, instance, within) => writer.remove(serviceEntryKey(key, instance), within),
    lookAtAll() {
      for (const { key, value } of copy.entries()) if (ended(value, key)) doubt(key);
    },
    agentChanged: homeChanged,
    stop() {
      stopListening();
      sweep.stop();
      listings.stop();
      copy.close();
    },
  };
}

const lifeOf = (address: Address): string => (address.kind === 'agent' ? agentKey(address.type, address.id) : formatAddress(address));
const homeOf = (address: Address | undefined): string | undefined => (address?.kind === 'incarnation' ? address.node : undefined);
const instanceOf = (address: Address): string =>
  address.kind === 'agent' ? `${address.type}/${address.id}` : `${address.node}-${address.nodeIncarnation}-${address.uid}`;
const sameHome = (a: Address | undefined, b: Address | undefined): boolean =>
  a === undefined || b === undefined ? a === b : formatAddress(a) === formatAddress(b);
