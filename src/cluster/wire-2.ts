import type { Envelope } from '../actor/envelope.ts';
import type { Codec } from '../ports/codec.ts';
import type { Window } from './channels.ts';
import type { Entry, Layout, Statement } from './frame.ts';
import { type AddressForms, bytes, duration, fail, ids, isThere, list, natural, optional, positive, rest, text } from './frame-shapes.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { Peer } from './peer.ts';
import { KIND, sameInAll } from './wire-1.ts';

const VERSION = 2;
const MESSAGES = 6;
const PART = 7;
/** Fields before the messages: the first sequence, and what the receiver states. */
const STATED = 4;
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
  const entry = (fields: MsgpackReader, sender: Peer): Entry => {
    const count = fields.list();
    if (count > FIELDS) return fail('a message');
    const body = bytes(count > 0 ? fields.next() : undefined);
    const to = forms.long(count > 1 ? fields.next() : undefined, self);
    const from = count > 2 ? fields.next() : undefined;
    const replyTo = count > 3 ? fields.next() : undefined;
    const budgetMs = count > 4 ? fields.next() : undefined;
    const requestId = count > 5 ? fields.next() : undefined;
    const epoch = count > 6 ? fields.next() : undefined;
    const chain = count > 7 ? fields.next() : undefined;
    const traceparent = count > 8 ? fields.next() : undefined;
    const envelope: Envelope = {
      to,
      message: undefined,
      replyTo: isThere(replyTo) ? forms.long(replyTo, sender) : undefined,
      from: isThere(from) ? forms.own(from, sender) : undefined,
      epoch: optional(epoch, natural),
      chain: optional(chain, ids),
      requestId: isThere(requestId) ? text(requestId, 64) : undefined,
      budgetMs: optional(budgetMs, duration),
      traceparent: isThere(traceparent) ? text(traceparent, 128) : undefined,
    };
    return { envelope, body };
  };
  const messages = (fields: MsgpackReader, sender: Peer): readonly Entry[] => {
    const count = fields.list();
    if (count === 0 || count > BATCH) return fail('messages');
    const entries: Entry[] = [];
    for (let index = 0; index < count; index++) entries.push(entry(fields, sender));
    return entries;
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
    read: (kind, fields, left, sender) => {
      if (kind === KIND.envelope) return undefined;
      if (kind === MESSAGES || kind === PART) {
        if (left < STATED + 1) return fail('messages');
        const first = positive(fields.next());
        const stated = statement(fields.next(), fields.next(), fields.next());
        if (kind === MESSAGES) {
          const entries = messages(fields, sender);
          rest(fields, left - STATED - 1);
          return { sender, version: VERSION, frame: 'messages', first, statement: stated, entries };
        }
        const part = entry(fields, sender);
        const [number, index, count, totalBytes] = rest(fields, left - STATED - 1);
        const cut = { number: positive(number), index: natural(index), count: positive(count), totalBytes: positive(totalBytes) };
        if (cut.index >= cut.count || cut.count > MOST_PARTS) return fail('a part');
        return { sender, version: VERSION, frame: 'part', sequence: first, statement: stated, entry: part, cut };
      }
      if (kind === KIND.pulse) {
        const [sent, known, taken, most, inBytes, count, hash, cut, held, heeded] = rest(fields, left);
        if (!Array.isArray(held) || held.length > MOST_HELD) return fail('a pulse');
        return {
          ...{ sender, version: VERSION, frame: 'pulse', sent: natural(sent), known: natural(known) },
          statement: statement(taken, most, inBytes),
          watches: optional(count, (value) => ({ count: natural(value), hash: natural(hash) })),
          cut: list(cut, 2, ([number, parts]) => ({ number: positive(number), sent: natural(parts) }), MOST_CUT),
          held: held.map((value) => forms.own(value, sender)),
          heeded: optional(heeded, natural),
        };
      }
      return same.read(kind, fields, left, sender);
    },
  };
}
