import { formatAddress } from '../actor/address.ts';
import type { Codec } from '../ports/codec.ts';
import type { Ended, Entry, Frame, Layout, Reason, WatchMode } from './frame.ts';
import {
  type AddressForms,
  bytes,
  duration,
  fail,
  ids,
  LONGEST_REQUEST_ID,
  LONGEST_TRACEPARENT,
  list,
  natural,
  optional,
  positive,
  rest,
  text,
} from './frame-shapes.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { Peer } from './peer.ts';

const VERSION = 1;
export const KIND = { envelope: 0, pulse: 1, watch: 2, terminated: 3, resend: 4, beat: 5 } as const;
const MODES: readonly WatchMode[] = ['add', 'remove', 'replace'];
const REASONS: readonly Reason[] = ['stopped', 'failed', 'node-lost', 'unknown'];

/** The first layout of frames: one message in each, windows fixed at the sender. Its bytes are recorded in test/fixtures/wire. */
export function wire1(self: Peer, codec: Codec, forms: AddressForms): Layout {
  const same = sameInAll(VERSION, self, codec, forms);
  return {
    writer: {
      ...same.writer,
      version: VERSION,
      batch: 1,
      part: undefined,
      messages: (to) => {
        let entry: Entry | undefined;
        return {
          get bytes() {
            return entry?.body.length ?? 0;
          },
          add: (one) => {
            entry = { envelope: one.envelope, body: one.body.slice() };
          },
          frame: (first, { taken }) => {
            const { envelope, body } = entry ?? fail('one message');
            entry = undefined;
            return codec.encode([
              ...[VERSION, KIND.envelope, self.node, self.incarnation, first, taken],
              forms.short(envelope.to, to),
              forms.short(envelope.replyTo, self),
              forms.short(envelope.from, self),
              envelope.epoch ?? null,
              envelope.chain ?? null,
              envelope.requestId ?? null,
              envelope.budgetMs ?? null,
              envelope.traceparent ?? null,
              body,
            ]);
          },
        };
      },
      pulse: ({ sent, known, statement, watches }) =>
        codec.encode([
          ...[VERSION, KIND.pulse, self.node, self.incarnation, sent, known, statement.taken],
          watches?.count ?? null,
          watches?.hash ?? null,
        ]),
    },
    read: (kind, fields, left, sender) => {
      if (kind === KIND.envelope) {
        const [sequence, taken, to, replyTo, from, epoch, chain, requestId, budgetMs, traceparent, body] = rest(fields, left);
        return {
          ...{ sender, version: VERSION, frame: 'messages', first: positive(sequence) },
          statement: { taken: natural(taken), window: undefined },
          entries: [
            {
              envelope: {
                to: forms.long(to, self),
                message: undefined,
                replyTo: optional(replyTo, (value) => forms.long(value, sender)),
                from: optional(from, (value) => forms.own(value, sender)),
                epoch: optional(epoch, natural),
                chain: optional(chain, ids),
                requestId: optional(requestId, (value) => text(value, LONGEST_REQUEST_ID)),
                budgetMs: optional(budgetMs, duration),
                traceparent: optional(traceparent, (value) => text(value, LONGEST_TRACEPARENT)),
              },
              body: bytes(body),
            },
          ],
        };
      }
      if (kind === KIND.pulse) {
        const [sent, known, taken, count, hash] = rest(fields, left);
        return {
          ...{ sender, version: VERSION, frame: 'pulse', sent: natural(sent), known: natural(known), cut: [], held: [], heeded: undefined },
          statement: { taken: natural(taken), window: undefined },
          watches: optional(count, (value) => ({ count: natural(value), hash: natural(hash) })),
        };
      }
      return same.read(kind, fields, left, sender);
    },
  };
}

/** The frames that look the same in every version so far: watches, their ends, and beats. */
export function sameInAll(version: number, self: Peer, codec: Codec, forms: AddressForms) {
  const head = (kind: number): unknown[] => [version, kind, self.node, self.incarnation];
  return {
    writer: {
      watch: (mode: WatchMode, pairs: Parameters<Layout['writer']['watch']>[1]) =>
        codec.encode([
          ...head(KIND.watch),
          MODES.indexOf(mode),
          pairs.map(({ target, watcher }) => [target.path, target.uid, forms.short(watcher, self)]),
        ]),
      terminated: (ends: readonly Ended[]) =>
        codec.encode([
          ...head(KIND.terminated),
          ends.map(({ target, watcher, reason }) => [target.path, target.uid, formatAddress(watcher), REASONS.indexOf(reason)]),
        ]),
      resend: () => codec.encode(head(KIND.resend)),
      beat: (beat: Parameters<Layout['writer']['beat']>[0]) =>
        codec.encode([...head(KIND.beat), beat.suspended, beat.admits, beat.agents, beat.lagMs, beat.pid, beat.load]),
    },
    read(kind: number, fields: MsgpackReader, left: number, sender: Peer): Frame | undefined {
      switch (kind) {
        case KIND.watch: {
          const [mode, pairs] = rest(fields, left);
          return {
            ...{ sender, version, frame: 'watch', mode: MODES[natural(mode)] ?? fail('a watch mode') },
            pairs: list(pairs, 3, ([path, uid, who]) => ({
              target: forms.actor(path, uid, self),
              watcher: forms.actorOf(who, sender),
            })),
          };
        }
        case KIND.terminated: {
          const [ends] = rest(fields, left);
          return {
            ...{ sender, version, frame: 'terminated' },
            ends: list(ends, 4, ([path, uid, who, reason]) => ({
              target: forms.actor(path, uid, sender),
              watcher: forms.actorOf(who, self),
              reason: REASONS[natural(reason)] ?? fail('a reason'),
            })),
          };
        }
        case KIND.resend:
          rest(fields, left);
          return { sender, version, frame: 'resend' };
        case KIND.beat: {
          const [suspended, admits, agents, lagMs, pid, load] = rest(fields, left);
          // Every node reads every other's, twice a second: a spread here is a fifth of what a hundred idle nodes do.
          const { node, incarnation } = sender;
          return {
            sender,
            version,
            frame: 'beat',
            beat: {
              node,
              incarnation,
              suspended: suspended === true,
              admits: admits === true,
              agents: natural(agents),
              lagMs: duration(lagMs),
              pid: natural(pid),
              // Not said by every node.
              load: load === undefined ? natural(agents) : duration(load),
            },
          };
        }
        default:
          return undefined;
      }
    },
  };
}
