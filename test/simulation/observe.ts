import { createCodec } from '../../src/cluster/codec.ts';
import { decodeState } from '../../src/durable/fenced-state.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import type { Kv, Stream, Written } from '../../src/ports/stores.ts';
import type { Inbound } from '../../src/ports/transport.ts';
import type { MemberNode } from '../../supervisors/member.ts';
import type { SimNode, SimWorld } from '../../supervisors/testkit/world.ts';

/** What has to happen now and then, or a run tests nothing. */
export interface Sometimes {
  takeovers: number;
  /** Agents that were put away, and those that came back at the epoch they had. */
  passivated: number;
  woken: number;
  suspensions: number;
  /** Incarnations that were over: exit 75. */
  over: number;
  /** Writes of a state that the store refused, because another activation had written. */
  fenced: number;
  /** Asks that were sent again after the definite answer that their agent is not there. */
  resent: number;
  /** State writes without an answer whose record was then found, or acknowledged when it was repeated. */
  resolved: number;
  /** Agents that moved because their node was drained, and to even the load out. */
  drained: number;
  rebalanced: number;
  /** Activations of an event-sourced agent that began with a snapshot. */
  snapshots: number;
  /** Durable messages that were stored once although they were sent again, and those that were read again. */
  deduped: number;
  redelivered: number;
  /** Durable messages that were put aside after the last try. */
  poisoned: number;
  /** Reminders that made up for more than one due time. */
  coalesced: number;
}
export const NEVER: Sometimes = {
  takeovers: 0,
  passivated: 0,
  woken: 0,
  suspensions: 0,
  over: 0,
  fenced: 0,
  resent: 0,
  resolved: 0,
  drained: 0,
  rebalanced: 0,
  snapshots: 0,
  deduped: 0,
  redelivered: 0,
  poisoned: 0,
  coalesced: 0,
};

export interface Observer {
  readonly seen: Sometimes;
  readonly violations: string[];
  /** Rises with everything that the store and the network were asked for, in its order. */
  readonly hash: number;
  take(text: string): void;
  wrap(name: string, connection: MemoryConnection): MemoryConnection;
  onUp(world: SimWorld, node: SimNode, member: MemberNode): void;
}

/** Watches a world from its ports and its events: counts, and judges C2 at each activation. */
export function observer(): Observer {
  const seen = { ...NEVER };
  const violations: string[] = [];
  const owners = new Map<string, { readonly node: string; readonly epoch: number }>();
  const open = new Map<string, string>();
  const codec = createCodec();
  let hash = 0x811c9dc5;
  const take = (text: string): void => {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  };
  const states = (node: string, kv: Kv): Kv => {
    const written = async (key: string, value: Uint8Array, write: Promise<Written>): Promise<Written> => {
      const { recordId } = decodeState(value, codec, key);
      const outcome = await write;
      const mine = `${node}/${key}`;
      if (outcome.written === 'unknown') open.set(mine, recordId);
      else if (outcome.written === 'no') seen.fenced += open.get(mine) === recordId ? 0 : 1;
      else if (open.get(mine) === recordId) {
        seen.resolved++;
        open.delete(mine);
      }
      return outcome;
    };
    return {
      ...kv,
      create: (key, value, options) => written(key, value, kv.create(key, value, options)),
      update: (key, value, revision, options) => written(key, value, kv.update(key, value, revision, options)),
      get: async (key, options) => {
        const found = await kv.get(key, options);
        if (found !== undefined && open.get(`${node}/${key}`) === decodeState(found.value, codec, key).recordId) {
          seen.resolved++;
          open.delete(`${node}/${key}`);
        }
        return found;
      },
    };
  };
  const counted = (name: string, kv: Kv): Kv => {
    const noted = async (what: string, key: string, outcome: Promise<Written>): Promise<Written> => {
      const { written } = await outcome;
      take(`${name} ${what} ${key} ${written}`);
      return outcome;
    };
    return {
      ...kv,
      create: (key, value, options) => noted('create', key, kv.create(key, value, options)),
      update: (key, value, revision, options) => noted(`update ${revision}`, key, kv.update(key, value, revision, options)),
    };
  };
  /** Which life of a node each frame was meant for. */
  const addressed = new WeakMap<Uint8Array, string>();
  const readMail = new Set<number>();
  let mailed = 0;
  const mailbox = (node: string, stream: Stream): Stream => ({
    ...stream,
    append: async (subject, record, options) => {
      const outcome = await stream.append(subject, record, options);
      if (outcome.written === 'yes' && outcome.revision <= mailed) seen.deduped++;
      if (outcome.written === 'yes') mailed = Math.max(mailed, outcome.revision);
      take(`${node} mail ${outcome.written}`);
      return outcome;
    },
    next: async (subject, options) => {
      const found = await stream.next(subject, options);
      if (found === undefined) return undefined;
      if (readMail.has(found.sequence)) seen.redelivered++;
      readMail.add(found.sequence);
      return found;
    },
  });
  const snapshots = (kv: Kv): Kv => ({
    ...kv,
    get: async (key, options) => {
      const found = await kv.get(key, options);
      if (found !== undefined) seen.snapshots++;
      return found;
    },
  });
  return {
    seen,
    violations,
    get hash() {
      return hash;
    },
    take,
    wrap(name, { transport, stores }) {
      return {
        transport: {
          ...transport,
          publish(subject, payload, options) {
            take(`${name} ${subject} ${payload.length}`);
            if (Buffer.from(payload.buffer, payload.byteOffset, payload.length).includes('not-owner')) seen.resent++;
            if (subject.includes('.node.')) addressed.set(payload, subject);
            transport.publish(subject, payload, options);
          },
          subscribe(subject, onMessage, options) {
            if (!subject.includes('.node.')) return transport.subscribe(subject, onMessage, options);
            const judged = (message: Inbound): void => {
              const meant = addressed.get(message.payload);
              if (meant !== undefined && meant !== subject) violations.push(`${subject} was handed a message for ${meant}`);
              onMessage(message);
            };
            return transport.subscribe(subject, judged, options);
          },
        },
        stores: {
          ...stores,
          kv: (store) => {
            const kv = counted(`${name} ${store}`, stores.kv(store));
            return store.endsWith('_STATE') ? states(name, kv) : store.endsWith('_SNAPSHOTS') ? snapshots(kv) : kv;
          },
          stream: (store) => (store.endsWith('_MAILBOX') ? mailbox(name, stores.stream(store)) : stores.stream(store)),
        },
      };
    },
    onUp(world, node, member) {
      member.system.events.subscribe((event) => {
        if (event.event === 'suspended') seen.suspensions++;
        if (event.event === 'passivated') seen.passivated++;
        if (event.event === 'moved' && event.cause === 'drain') seen.drained++;
        if (event.event === 'moved' && event.cause === 'rebalance') seen.rebalanced++;
        if (event.event !== 'activated' || event.address.kind !== 'agent') return;
        const { type, id } = event.address;
        const name = `${type}/${id}`;
        const before = owners.get(name);
        world.note(`${name} activated on ${node.name} at epoch ${event.epoch}`);
        if (before !== undefined && before.node !== node.name) seen.takeovers++;
        const woken = before?.node === node.name && before.epoch === event.epoch;
        if (woken) seen.woken++;
        if (before !== undefined && before.epoch >= event.epoch && !woken)
          violations.push(`${name}: epoch ${event.epoch} after ${before.epoch}`);
        owners.set(name, { node: node.name, epoch: event.epoch });
        for (const other of world.nodes.values()) {
          if (other === node || !other.alive || other.member?.cluster.locals.acts(`${type}.${id}`) !== true) continue;
          violations.push(`${name}: ${other.name} may still act when ${node.name} activates at epoch ${event.epoch}`);
        }
      });
    },
  };
}
