import { expect } from 'vitest';
import { type Address, formatAddress } from '../../src/actor/address.ts';
import type { Envelope } from '../../src/actor/envelope.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import type { FrameWriter, Reason } from '../../src/cluster/frame.ts';
import type { ActorAddress, Peer } from '../../src/cluster/peer.ts';
import { createRemote } from '../../src/cluster/remote.ts';
import type { RemoteBounds } from '../../src/cluster/remote-options.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { createWire } from '../../src/cluster/wire.ts';
import type { NexaError } from '../../src/errors.ts';
import { type FaultSettings, memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { manualClock } from '../support/manual-clock.ts';

const quiet: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields) => expect.unreachable(JSON.stringify(fields)),
  child: () => quiet,
};
export const names = subjects('test');
export const writerOf = (self: Peer, version = 2): FrameWriter => createWire(self, [version]).speaks([version]) as FrameWriter;
/** Of a pulse: nothing was sent, nothing came. */
export const silence = { sent: 0, known: 0, statement: { taken: 0, window: undefined }, watches: undefined, cut: [], held: [], heeded: 0 };
export const nothing = { taken: 0, window: undefined };
export const actor = (peer: Peer, path: string, uid: number): ActorAddress => ({
  kind: 'incarnation',
  node: peer.node,
  nodeIncarnation: peer.incarnation,
  path,
  uid,
});

/** Two incarnations, a and b, with their remotes over a memory network; what each hears is kept. */
export function world(
  options: {
    readonly faults?: FaultSettings;
    readonly bounds?: Partial<RemoteBounds>;
    readonly seed?: number;
    readonly versions?: Readonly<Record<string, readonly number[]>>;
    /** Incarnations of which no record says anything. */
    readonly isStranger?: (peer: Peer) => boolean;
  } = {},
) {
  const clock = manualClock();
  const random = seededRandom(options.seed ?? 1);
  const network = memoryNetwork({ clock, random, faults: options.faults ?? {} });
  const gone = new Set<string>();

  const start = (self: Peer) => {
    const { transport } = network.connect(self.node);
    const versions = options.versions?.[self.node] ?? [2, 1];
    /** Actors of this node that live, and who elsewhere watches them. */
    const living = new Map<string, Map<string, ActorAddress>>();
    const node = {
      self,
      transport,
      living,
      received: [] as { readonly envelope: Envelope; readonly from: Peer }[],
      refused: [] as { readonly envelope: Envelope; readonly error: NexaError; readonly reason: string }[],
      dead: [] as { readonly envelope: Envelope; readonly reason: string }[],
      lost: [] as { readonly id: number; readonly code: string }[],
      ends: [] as string[],
      unreachable: [] as string[],
      room: (_envelope: Envelope): boolean => true,
      pressure: (_to: Address): 'room' | 'high' | 'sheds' => 'room',
      remote: undefined as unknown as ReturnType<typeof createRemote>,
      end: (target: ActorAddress, reason: Reason) => {
        const watchers = living.get(formatAddress(target));
        living.delete(formatAddress(target));
        for (const watcher of watchers?.values() ?? []) node.remote.terminated(watcher, target, reason);
      },
    };
    node.remote = createRemote({
      self,
      transport,
      subjects: names,
      codec: createCodec(),
      clock,
      random,
      log: quiet,
      wireVersions: versions,
      versionsOf: (peer) => (options.isStranger?.(peer) === true ? undefined : (options.versions?.[peer.node] ?? [2, 1])),
      isGone: (name, incarnation) => gone.has(`${name}.${incarnation}`),
      onEnvelope: (envelope, from) => {
        node.received.push({ envelope, from });
        return node.room(envelope);
      },
      pressure: (to) => node.pressure(to),
      onRefused: (envelope, error, reason) => node.refused.push({ envelope, error, reason }),
      onDeadLetter: (envelope, reason) => node.dead.push({ envelope, reason }),
      onAskLost: (id, error) => node.lost.push({ id, code: error.code }),
      watches: {
        watch: (watcher, target) => {
          const watchers = living.get(formatAddress(target));
          watchers?.set(formatAddress(watcher), watcher);
          return watchers === undefined ? 'unknown' : undefined;
        },
        unwatch: (watcher, target) => living.get(formatAddress(target))?.delete(formatAddress(watcher)),
        terminated: (watcher, target, reason) => node.ends.push(`${watcher.path} ${target.path} ${reason}`),
      },
      onUnreachable: (peer) => node.unreachable.push(peer.node),
      ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
    });
    return node;
  };
  const a = start({ node: 'a', incarnation: 1 });
  const b = start({ node: 'b', incarnation: 1 });
  return { clock, network, gone, start, a, b };
}
export type Node = ReturnType<ReturnType<typeof world>['start']>;
export const tell = (from: Node, to: Node, message: unknown): boolean =>
  from.remote.send(to.self.node, to.self.incarnation, { to: actor(to.self, 'x', 1), message });
export const numbers = (node: Node): number[] => node.received.map(({ envelope }) => envelope.message as number);
