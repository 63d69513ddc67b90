import { Encoder, ExtData, type ExtensionCodecType } from '@msgpack/msgpack';
import { LIMITS } from './plain-data.ts';

export { ExtData, type ExtensionCodecType };

/** Of the library's encoder, whose version is pinned. */
interface EncoderInside {
  pos: number;
  readonly bytes: Uint8Array;
  ensureBufferSizeToWrite(bytes: number): void;
  writeStringHeader(bytes: number): void;
  encodeString(text: string): unknown;
  encodeBinary(bytes: Uint8Array): void;
  doEncode(value: unknown, depth: number): void;
}
/** Up to so many characters a loop is faster than a call of the engine's. */
const SHORT_TEXT = 64;

/**
 * The library's encoder, but for texts: it looks at each twice, one character at a time, which of a message costs more than all else.
 * Depth is bounded before: it only must not be the first to refuse.
 */
export function createEncoder(extensionCodec?: ExtensionCodecType<undefined>): Encoder<undefined> {
  const options = { ignoreUndefined: true, maxDepth: LIMITS.depth + 2 };
  const encoder = new Encoder<undefined>(extensionCodec === undefined ? options : { ...options, extensionCodec });
  const inside = encoder as unknown as EncoderInside;
  const any = inside.encodeString.bind(inside);
  let native: Buffer = Buffer.alloc(0);
  inside.encodeString = (text) => {
    if (text.length < SHORT_TEXT) return writeShort(inside, text) || any(text);
    const bytes = Buffer.byteLength(text);
    // Its longest header and the text, as the library reckons.
    inside.ensureBufferSizeToWrite(5 + bytes);
    inside.writeStringHeader(bytes);
    if (native.buffer !== inside.bytes.buffer) native = Buffer.from(inside.bytes.buffer);
    inside.pos += native.write(text, inside.pos);
  };
  return encoder;
}

/** False: it has other characters than ASCII, and nothing was written. */
function writeShort(inside: EncoderInside, text: string): boolean {
  const { length } = text;
  inside.ensureBufferSizeToWrite(2 + length);
  const { bytes } = inside;
  let at = inside.pos;
  if (length < 32) bytes[at++] = 0xa0 + length;
  else {
    bytes[at++] = 0xd9;
    bytes[at++] = length;
  }
  for (let index = 0; index < length; index++) {
    const character = text.charCodeAt(index);
    if (character >= 0x80) return false;
    bytes[at++] = character;
  }
  inside.pos = at;
  return true;
}

/** Writes one value piece by piece, as it becomes known. Of plain data that was checked before. */
export class MsgpackWriter {
  private readonly inside = createEncoder() as unknown as EncoderInside;

  get length(): number {
    return this.inside.pos;
  }
  /** What was written; the next one overwrites it. */
  get written(): Uint8Array {
    return this.inside.bytes.subarray(0, this.inside.pos);
  }
  /** What it has room for before it grows. */
  get capacity(): number {
    return this.inside.bytes.length;
  }

  value(value: unknown): void {
    this.inside.doEncode(value, 1);
  }
  bytes(bytes: Uint8Array): void {
    this.inside.encodeBinary(bytes);
  }
  /** A list of so many, which are written next. */
  list(items: number): void {
    const { inside } = this;
    inside.ensureBufferSizeToWrite(3);
    if (items < 16) inside.bytes[inside.pos++] = 0x90 + items;
    else {
      inside.bytes[inside.pos++] = 0xdc;
      inside.bytes[inside.pos++] = items >> 8;
      inside.bytes[inside.pos++] = items & 0xff;
    }
  }
  /** Forgets what was written after the first so many bytes. */
  cut(length: number): void {
    this.inside.pos = length;
  }
}
