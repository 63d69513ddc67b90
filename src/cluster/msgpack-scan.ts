import { isUtf8 } from 'node:buffer';
import { NexaError } from '../errors.ts';
import { LIMITS } from './plain-data.ts';

/** Our msgpack extension types. */
export const EXT = { ref: 1, error: 2, undefined: 3 } as const;
const LONGEST_REF_BYTES = 4_096;

/**
 * Looks at every header of a msgpack value before anything is decoded: a decoder allocates what a header declares (5 bytes can
 * cost 134 MB), recurses as deep as it is told, and takes overlong UTF-8. Linear, allocates nothing that grows with the input.
 * Returns whether an integer needs a bigint.
 * @throws NexaError `invalid-message`
 */
export function scan(bytes: Uint8Array, mostBytes: number = LIMITS.frameBytes): boolean {
  if (bytes.length > mostBytes) throw invalid(`${bytes.length} bytes; ${mostBytes} are allowed`, 0);
  const scanner = new Scanner(bytes);
  scanner.value(bytes.length);
  return scanner.wide;
}

const invalid = (why: string, at: number): NexaError =>
  new NexaError('invalid-message', `not a message: ${why}`, { where: { at: String(at) } });

class Scanner {
  wide = false;
  private readonly bytes: Uint8Array;
  private at = 0;
  private values = 0;
  private inError = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** One value and its parts, exactly up to `end`. */
  value(end: number): void {
    // Items still to come per level (two per field, so an even count means a key comes next), and in all levels together.
    const open: number[] = [];
    const isMap: boolean[] = [];
    let due = 1;
    let left = 1;
    let map = false;
    for (;;) {
      if (due > end - this.at) throw invalid('fewer bytes than it declares', this.at);
      if (++this.values > LIMITS.values) throw invalid(`more than ${LIMITS.values} values`, this.at);
      const isKey = map && left % 2 === 0;
      const start = this.at;
      const head = this.bytes[this.at++] as number;
      due--;
      left--;
      let items = -1;
      let opensMap = false;
      if (head < 0x80 || head >= 0xe0) {
        // a small integer
      } else if (head >= 0xa0 && head < 0xc0) this.text(head & 0x1f, end, isKey);
      else if (head < 0x90) {
        items = head & 0x0f;
        opensMap = true;
      } else if (head < 0xa0) items = head & 0x0f;
      else if (head === 0xd9 || head === 0xda || head === 0xdb) this.text(this.uint(1 << (head - 0xd9), end), end, isKey);
      else if (head === 0xdc || head === 0xdd) items = this.uint(2 << (head - 0xdc), end);
      else if (head === 0xde || head === 0xdf) {
        items = this.uint(2 << (head - 0xde), end);
        opensMap = true;
      } else this.other(head, start, end, open.length === 0);
      if (isKey && !isText(head)) throw invalid('a field name that is no text', start);

      if (items >= 0) {
        if (items > LIMITS.items) throw invalid(`${items} items in one list; ${LIMITS.items} are allowed`, start);
        if (open.length >= LIMITS.depth) throw invalid(`more than ${LIMITS.depth} levels deep`, start);
        open.push(left);
        isMap.push(map);
        left = opensMap ? items * 2 : items;
        map = opensMap;
        due += left;
      }
      while (left === 0) {
        const outer = open.pop();
        if (outer === undefined) {
          if (this.at !== end) throw invalid(`${end - this.at} bytes after its end`, this.at);
          return;
        }
        left = outer;
        map = isMap.pop() as boolean;
      }
    }
  }

  private other(head: number, start: number, end: number, atTop: boolean): void {
    if (head === 0xc0 || head === 0xc2 || head === 0xc3) return;
    const fixed = FIXED_BYTES[head];
    if (fixed !== undefined) this.skip(fixed, end);
    else if (head >= 0xc4 && head <= 0xc6) this.skip(this.uint(1 << (head - 0xc4), end), end);
    else if (head === 0xcf || head === 0xd3) this.long(head === 0xd3, end);
    else if (head >= 0xc7 && head <= 0xc9) this.extension(this.uint(1 << (head - 0xc7), end), start, end, atTop);
    else if (head >= 0xd4 && head <= 0xd8) this.extension(1 << (head - 0xd4), start, end, atTop);
    else throw invalid(`the byte 0x${head.toString(16)}`, start);
  }

  private extension(length: number, start: number, end: number, atTop: boolean): void {
    const type = this.uint(1, end);
    const inner = this.at;
    if (length > end - inner) throw invalid('fewer bytes than it declares', start);
    if (type === EXT.undefined && length === 0 && atTop) return;
    if (type === EXT.ref && length > 0 && length <= LONGEST_REF_BYTES) {
      this.text(length, end, false);
      return;
    }
    if (type === EXT.error && length > 0 && !this.inError) {
      this.inError = true;
      this.value(inner + length);
      this.inError = false;
      return;
    }
    throw invalid(`an extension of type ${type} and ${length} bytes`, start);
  }

  private text(length: number, end: number, isKey: boolean): void {
    const start = this.at;
    this.skip(length, end);
    let index = start;
    const asciiEnd = length <= 64 ? this.at : start;
    while (index < asciiEnd && (this.bytes[index] as number) < 0x80) index++;
    if (index < this.at && !isUtf8(this.bytes.subarray(start, this.at))) throw invalid('text that is no UTF-8', start);
    if (
      isKey &&
      length === 9 &&
      this.bytes[start] === 0x5f &&
      Buffer.from(this.bytes.subarray(start, this.at)).toString('latin1') === '__proto__'
    ) {
      throw invalid('a field named __proto__', start);
    }
  }

  private long(signed: boolean, end: number): void {
    const word = this.uint(4, end);
    this.skip(4, end);
    const high = signed && word >= 2 ** 31 ? word - 2 ** 32 : word;
    if (high >= 2 ** 21 || high <= -(2 ** 21)) this.wide = true;
  }

  private uint(size: number, end: number): number {
    const start = this.at;
    this.skip(size, end);
    let value = 0;
    for (let index = start; index < this.at; index++) value = value * 256 + (this.bytes[index] as number);
    return value;
  }

  private skip(length: number, end: number): void {
    if (length > end - this.at) throw invalid('fewer bytes than it declares', this.at);
    this.at += length;
  }
}

/** Integers and floats of a fixed size, by their first byte. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 202: 4, 203: 8, 204: 1, 205: 2, 206: 4, 208: 1, 209: 2, 210: 4 };
const isText = (head: number): boolean => (head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb);
