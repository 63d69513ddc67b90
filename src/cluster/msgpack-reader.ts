import { isUtf8 } from 'node:buffer';
import { errorFrom, NexaError } from '../errors.ts';
import { LIMITS } from './plain-data.ts';
import { TextMemory } from './text-memory.ts';

/** Our msgpack extension types. */
export const EXT = { ref: 1, error: 2, undefined: 3 } as const;
const LONGEST_REF_BYTES = 4_096;
/** What stands in a text for bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * Reads msgpack and believes nothing that it declares: depth, counts, texts and extensions are checked as they are read, and what is
 * made is never more than a small multiple of the bytes that are there. A 64-bit integer is a bigint where a number would lose
 * something.
 */
export class MsgpackReader {
  private readonly refOf: (address: string) => unknown;
  private readonly names = new TextMemory(true);
  private readonly words = new TextMemory(false);
  private source: Uint8Array = NOTHING;
  private bytes: Buffer = NOTHING;
  private at = 0;
  private end = 0;
  /** Items that were declared and are still to come, in all levels together. */
  private due = 0;
  private depth = 0;
  private values = 0;
  private inError = false;

  /** What `refOf` throws makes the message invalid. */
  constructor(refOf: (address: string) => unknown) {
    this.refOf = refOf;
  }

  /** The one value that these bytes are. @throws NexaError `invalid-message` */
  read(source: Uint8Array, mostBytes?: number): unknown {
    this.begin(source, mostBytes);
    const value = this.next();
    this.finish();
    return value;
  }

  /** Reads one piece after the other what is one value as a whole: {@link list} and {@link next} as it has them, then {@link finish}. */
  begin(source: Uint8Array, mostBytes: number = LIMITS.frameBytes): void {
    this.source = source;
    this.bytes = source instanceof Buffer ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    this.at = 0;
    this.end = source.length;
    this.due = 1;
    this.depth = 0;
    this.values = 0;
    this.inError = false;
    if (this.end > mostBytes) throw this.invalid(`${this.end} bytes; ${mostBytes} are allowed`);
  }
  /** The next one is a list of so many, which are the next ones then. */
  list(): number {
    const head = this.head();
    const items = head >= 0x90 && head < 0xa0 ? head & 0x0f : head === 0xdc || head === 0xdd ? this.uint(2 << (head - 0xdc)) : -1;
    if (items < 0) throw this.invalid('something else than a list');
    this.declare(items, items);
    return items;
  }
  finish(): void {
    if (this.at !== this.end) throw this.invalid(`${this.end - this.at} bytes after its end`);
    this.source = this.bytes = NOTHING;
  }

  next(): unknown {
    const head = this.head();
    if (head < 0x80) return head;
    if (head < 0x90) return this.map(head & 0x0f);
    if (head < 0xa0) return this.items(head & 0x0f);
    if (head < 0xc0) return this.text(head & 0x1f, this.words);
    return head >= 0xe0 ? head - 0x100 : this.other(head);
  }

  private head(): number {
    if (this.due > this.end - this.at) throw this.invalid('fewer bytes than it declares');
    if (++this.values > LIMITS.values) throw this.invalid(`more than ${LIMITS.values} values`);
    this.due--;
    return this.bytes[this.at++] as number;
  }

  private other(head: number): unknown {
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6: {
        const from = this.skip(this.uint(1 << (head - 0xc4)));
        return this.source.subarray(from, this.at);
      }
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(this.uint(1 << (head - 0xc7)));
      case 0xca:
        return this.bytes.readFloatBE(this.skip(4));
      case 0xcb:
        return this.bytes.readDoubleBE(this.skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.uint(1 << (head - 0xcc));
      case 0xcf:
        return this.long(this.uint(4));
      case 0xd0:
        return this.bytes.readInt8(this.skip(1));
      case 0xd1:
        return this.bytes.readInt16BE(this.skip(2));
      case 0xd2:
        return this.uint(4) | 0;
      case 0xd3:
        return this.long(this.uint(4) | 0);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(1 << (head - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.uint(1 << (head - 0xd9)), this.words);
      case 0xdc:
      case 0xdd:
        return this.items(this.uint(2 << (head - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.map(this.uint(2 << (head - 0xde)));
      default:
        throw this.invalid(`the byte 0x${head.toString(16)}`);
    }
  }

  private items(items: number): unknown[] {
    this.open(items, items);
    const list: unknown[] = new Array(items);
    for (let index = 0; index < items; index++) list[index] = this.next();
    this.depth--;
    return list;
  }

  private map(fields: number): Record<string, unknown> {
    this.open(fields, fields * 2);
    const map: Record<string, unknown> = {};
    for (let index = 0; index < fields; index++) {
      const key = this.name();
      if (key === '__proto__') throw this.invalid('a field named __proto__');
      map[key] = this.next();
    }
    this.depth--;
    return map;
  }
  private name(): string {
    const head = this.head();
    if (head >= 0xa0 && head < 0xc0) return this.text(head & 0x1f, this.names);
    if (head >= 0xd9 && head <= 0xdb) return this.text(this.uint(1 << (head - 0xd9)), this.names);
    throw this.invalid('a field name that is no text');
  }
  private open(items: number, parts: number): void {
    if (this.depth >= LIMITS.depth) throw this.invalid(`more than ${LIMITS.depth} levels deep`);
    this.declare(items, parts);
    this.depth++;
  }
  private declare(items: number, parts: number): void {
    if (items > LIMITS.items) throw this.invalid(`${items} items in one list; ${LIMITS.items} are allowed`);
    this.due += parts;
    if (this.due > this.end - this.at) throw this.invalid('fewer bytes than it declares');
  }

  private text(length: number, known: TextMemory): string {
    const from = this.skip(length);
    return known.find(this.bytes, from, length) ?? known.keep(this.utf8(from, this.at), this.bytes, from, length);
  }
  private utf8(from: number, to: number): string {
    const text = this.bytes.toString('utf8', from, to);
    if (text.includes(REPLACEMENT) && !isUtf8(this.bytes.subarray(from, to))) throw this.invalid('text that is no UTF-8');
    return text;
  }

  private extension(length: number): unknown {
    const type = this.uint(1);
    const from = this.skip(length);
    if (type === EXT.undefined && length === 0 && this.depth === 0) return undefined;
    if (type === EXT.ref && length > 0 && length <= LONGEST_REF_BYTES) return this.ref(this.utf8(from, this.at));
    if (type === EXT.error && length > 0 && !this.inError) return this.error(from, this.at);
    throw this.invalid(`an extension of type ${type} and ${length} bytes`);
  }
  private ref(address: string): unknown {
    try {
      return this.refOf(address);
    } catch (cause) {
      throw this.invalid(cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable', cause);
    }
  }
  /** Its depth counts anew, so one inside another is refused. */
  private error(from: number, to: number): NexaError {
    const { end, due, depth } = this;
    this.at = from;
    this.end = to;
    this.due = 1;
    this.depth = 0;
    this.inError = true;
    const error = errorFrom(this.next());
    if (this.at !== to) throw this.invalid(`${to - this.at} bytes after its end`);
    this.inError = false;
    this.end = end;
    this.due = due;
    this.depth = depth;
    return error;
  }

  private long(high: number): number | bigint {
    const low = this.uint(4);
    const value = high * 2 ** 32 + low;
    // An error is passed on, also as JSON, which has no bigint.
    return Number.isSafeInteger(value) || this.inError ? value : (BigInt(high) << 32n) | BigInt(low);
  }
  private uint(size: number): number {
    const from = this.skip(size);
    const { bytes } = this;
    if (size === 1) return bytes[from] as number;
    let value = 0;
    for (let index = from; index < this.at; index++) value = value * 256 + (bytes[index] as number);
    return value;
  }
  /** Where it began. */
  private skip(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw this.invalid('fewer bytes than it declares');
    this.at = from + length;
    return from;
  }

  private invalid(why: string, cause?: unknown): NexaError {
    return new NexaError('invalid-message', `not a message: ${why}`, { where: { at: String(this.at) }, cause });
  }
}

const NOTHING = Buffer.alloc(0);
