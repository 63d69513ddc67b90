import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { Codec } from '../ports/codec.ts';
import type { Window } from './channels.ts';
import type { Batch, Entry, Layout, Statement } from './frame.ts';
import {
  type AddressForms,
  bytes,
  duration,
  fail,
  ids,
  isThere,
  LONGEST_ADDRESS,
  LONGEST_PATH,
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
import { MsgpackWriter } from './msgpack-writer.ts';
import type { Peer } from './peer.ts';
import { KIND, sameInAll } from './wire-1.ts';

const VERSION = 2;
const MESSAGES = 6;
const PART = 7;
/** Fields before the messages: the first sequence, and what the receiver states. */
const STATED = 4;
/** Version, kind, node and incarnation. */
const HEAD = 4;
/** Room for messages that is kept from one frame to the next. */
const KEPT_BYTES = 262_144;
/** Messages in one frame. */
const BATCH = 256;
/** Fields of one message; those that are not there are cut off from the end. */
const FIELDS = 9;
export const MOST_PARTS = 1_024;
/** Large messages under way at a time, and actors without room, that one pulse may name. */
export const MOST_CUT = 64;
export const MOST_HELD = 256;

/** How many of them a message has. */
function fieldsOf({ traceparent, chain, epoch, requestId, budgetMs, replyTo, from }: Envelope): number {
  if (traceparent !== undefined) return 9;
  if (chain !== undefined) return 8;
  if (epoch !== undefined) return 7;
  if (requestId !== undefined) return 6;
  if (budgetMs !== undefined) return 5;
  if (replyTo !== undefined) return 4;
  return from === undefined ? 2 : 3;
}

/** The second layout: many messages in a frame, large ones in parts, and the receiver of a channel says its window. */
export function wire2(self: Peer, codec: Codec, forms: AddressForms): Layout {
  const same = sameInAll(VERSION, self, codec, forms);
  const head = (kind: number): unknown[] => [VERSION, kind, self.node, self.incarnation];
  const stated = ({ taken, window }: Statement): readonly unknown[] => [taken, window?.messages ?? null, window?.bytes ?? null];
  const statement = (taken: unknown, messages: unknown, inBytes: unknown): Statement => ({
    taken: natural(taken),
    window: optional(messages, (value): Window => ({ messages: natural(value), bytes: natural(inBytes) })),
  });

  const front = new MsgpackWriter();
  /** What a frame begins with, up to its messages. */
  const writeFront = (kind: number, fields: number, first: number, now: Statement): void => {
    front.cut(0);
    front.list(fields);
    for (const value of head(kind)) front.value(value);
    front.value(first);
    for (const value of stated(now)) front.value(value);
  };
  const writeAddress = (out: MsgpackWriter, address: Address | undefined, of: Peer): void => {
    const short = forms.short(address, of);
    if (!Array.isArray(short)) return out.value(typeof short === 'string' ? text(short, LONGEST_ADDRESS) : short);
    out.list(2);
    out.value(text(short[0], LONGEST_PATH));
    out.value(short[1]);
  };
  const write = (out: MsgpackWriter, to: Peer, { envelope, body }: Entry): void => {
    const fields = fieldsOf(envelope);
    out.list(fields);
    out.bytes(body);
    writeAddress(out, envelope.to, to);
    if (fields > 2) writeAddress(out, envelope.from, self);
    if (fields > 3) writeAddress(out, envelope.replyTo, self);
    if (fields > 4) out.value(envelope.budgetMs);
    if (fields > 5) out.value(optional(envelope.requestId, (id) => text(id, LONGEST_REQUEST_ID)));
    if (fields > 6) out.value(envelope.epoch);
    if (fields > 7) out.value(optional(envelope.chain, ids));
    if (fields > 8) out.value(optional(envelope.traceparent, (trace) => text(trace, LONGEST_TRACEPARENT)));
  };
  const batchTo = (to: Peer): Batch => {
    let out = new MsgpackWriter();
    let count = 0;
    return {
      get bytes() {
        return out.length;
      },
      add: (entry) => {
        const before = out.length;
        try {
          write(out, to, entry);
          count++;
        } catch (error) {
          out.cut(before);
          throw error;
        }
      },
      frame: (first, now) => {
        writeFront(MESSAGES, HEAD + STATED + 1, first, now);
        front.list(count);
        const frame = new Uint8Array(front.length + out.length);
        frame.set(front.written);
        frame.set(out.written, front.length);
        count = 0;
        if (out.capacity > KEPT_BYTES) out = new MsgpackWriter();
        else out.cut(0);
        return frame;
      },
    };
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
      requestId: isThere(requestId) ? text(requestId, LONGEST_REQUEST_ID) : undefined,
      budgetMs: optional(budgetMs, duration),
      traceparent: isThere(traceparent) ? text(traceparent, LONGEST_TRACEPARENT) : undefined,
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
      messages: batchTo,
      part: (to, sequence, now, each, { number, index, count, totalBytes }) => {
        writeFront(PART, HEAD + STATED + 5, sequence, now);
        write(front, to, each);
        for (const value of [number, index, count, totalBytes]) front.value(value);
        return front.written.slice();
      },
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
