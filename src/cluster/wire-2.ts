import type { Codec } from '../ports/codec.ts';
import type { Window } from './channels.ts';
import type { Entry, Layout, Statement } from './frame.ts';
import { type AddressForms, bytes, duration, fail, ids, list, natural, optional, positive, text } from './frame-shapes.ts';
import type { Peer } from './peer.ts';
import { KIND, sameInAll } from './wire-1.ts';

const VERSION = 2;
const MESSAGES = 6;
const PART = 7;
/** Messages in one frame. */
const BATCH = 256;
/** Fields of one message; those that are not there are cut off from the end. */
const FIELDS = 9;
export const MOST_PARTS = 1_024;
/** Large messages under way at a time, and actors without room, that one pulse may name. */
export const MOST_CUT = 64;
export const MOST_HELD = 256;

/** The second layout: many messages in a frame, large ones in parts, and the receiver of a channel says its window. */
export function wire2(self: Peer, codec: Codec, forms: AddressForms): Layout {
  const same = sameInAll(VERSION, self, codec, forms);
  const head = (kind: number): unknown[] => [VERSION, kind, self.node, self.incarnation];
  const stated = ({ taken, window }: Statement): readonly unknown[] => [taken, window?.messages ?? null, window?.bytes ?? null];
  const statement = (taken: unknown, messages: unknown, inBytes: unknown): Statement => ({
    taken: natural(taken),
    window: optional(messages, (value): Window => ({ messages: natural(value), bytes: natural(inBytes) })),
  });

  const fieldsOf = (to: Peer, { envelope, body }: Entry): readonly unknown[] => {
    const fields: unknown[] = [
      body,
      forms.short(envelope.to, to),
      forms.short(envelope.from, self),
      forms.short(envelope.replyTo, self),
      envelope.budgetMs ?? null,
      envelope.requestId ?? null,
      envelope.epoch ?? null,
      envelope.chain ?? null,
      envelope.traceparent ?? null,
    ];
    while (fields.at(-1) === null) fields.pop();
    return fields;
  };
  const entry = (fields: unknown, sender: Peer): Entry => {
    if (!Array.isArray(fields) || fields.length > FIELDS) return fail('a message');
    const [body, to, from, replyTo, budgetMs, requestId, epoch, chain, traceparent] = fields;
    return {
      envelope: {
        to: forms.long(to, self),
        message: undefined,
        replyTo: optional(replyTo, (value) => forms.long(value, sender)),
        from: optional(from, (value) => forms.own(value, sender)),
        epoch: optional(epoch, natural),
        chain: optional(chain, ids),
        requestId: optional(requestId, (value) => text(value, 64)),
        budgetMs: optional(budgetMs, duration),
        traceparent: optional(traceparent, (value) => text(value, 128)),
      },
      body: bytes(body),
    };
  };

  return {
    writer: {
      ...same.writer,
      version: VERSION,
      batch: BATCH,
      messages: (to, first, now, entries) =>
        codec.encode([...head(MESSAGES), first, ...stated(now), entries.map((each) => fieldsOf(to, each))]),
      part: (to, sequence, now, each, { number, index, count, totalBytes }) =>
        codec.encode([...head(PART), sequence, ...stated(now), fieldsOf(to, each), number, index, count, totalBytes]),
      pulse: ({ sent, known, statement: now, watches, cut, held, heeded }) =>
        codec.encode([
          ...[...head(KIND.pulse), sent, known, ...stated(now), watches?.count ?? null, watches?.hash ?? null],
          cut.slice(0, MOST_CUT).map(({ number, sent: parts }) => [number, parts]),
          held.slice(0, MOST_HELD).map((address) => forms.short(address, self)),
          heeded ?? null,
        ]),
    },
    read: (kind, fields, sender) => {
      if (kind === KIND.envelope) return undefined;
      if (kind === MESSAGES) {
        const [, , , , first, taken, messages, inBytes, entries] = fields;
        if (!Array.isArray(entries) || entries.length === 0 || entries.length > BATCH) return fail('messages');
        return {
          ...{ sender, version: VERSION, frame: 'messages', first: positive(first), statement: statement(taken, messages, inBytes) },
          entries: entries.map((each) => entry(each, sender)),
        };
      }
      if (kind === PART) {
        const [, , , , sequence, taken, messages, inBytes, each, number, index, count, totalBytes] = fields;
        const cut = { number: positive(number), index: natural(index), count: positive(count), totalBytes: positive(totalBytes) };
        if (cut.index >= cut.count || cut.count > MOST_PARTS) return fail('a part');
        return {
          ...{ sender, version: VERSION, frame: 'part', sequence: positive(sequence), statement: statement(taken, messages, inBytes) },
          ...{ entry: entry(each, sender), cut },
        };
      }
      if (kind === KIND.pulse) {
        const [, , , , sent, known, taken, messages, inBytes, count, hash, cut, held, heeded] = fields;
        if (!Array.isArray(held) || held.length > MOST_HELD) return fail('a pulse');
        return {
          ...{ sender, version: VERSION, frame: 'pulse', sent: natural(sent), known: natural(known) },
          statement: statement(taken, messages, inBytes),
          watches: optional(count, (value) => ({ count: natural(value), hash: natural(hash) })),
          cut: list(cut, 2, ([number, parts]) => ({ number: positive(number), sent: natural(parts) }), MOST_CUT),
          held: held.map((value) => forms.own(value, sender)),
          heeded: optional(heeded, natural),
        };
      }
      return same.read(kind, fields, sender);
    },
  };
}
