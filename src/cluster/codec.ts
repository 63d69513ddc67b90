import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { EXT, MsgpackReader } from './msgpack-reader.ts';
import { createEncoder, ExtData, type ExtensionCodecType } from './msgpack-writer.ts';
import { asError, faultOf, isRef, LIMITS } from './plain-data.ts';

/** Both encodings of a message. What one side encodes the other decodes to an equal value; anything else is refused by type. */
export interface MessageCodec extends Codec {
  /** Both take at most 1 MiB, or `mostBytes`: 16 MiB at the most. */
  encode(value: unknown, mostBytes?: number): Uint8Array;
  decode(payload: Uint8Array, mostBytes?: number): unknown;
  /** As `encode`, in a buffer that the next call overwrites: only for copying it into another one at once. */
  encodeShared(value: unknown, mostBytes?: number): Uint8Array;
  /** Refs become their address text. @throws NexaError `not-encodable`, `payload-too-large`. */
  encodeJson(value: unknown): Uint8Array;
  /** With the same bounds as `decode`. @throws NexaError `invalid-message`. */
  decodeJson(payload: Uint8Array): unknown;
}
export interface CodecOptions {
  /** A live ref from its text. What it throws makes the message invalid. Without it a ref arrives as its text. */
  readonly refOf?: (address: string) => unknown;
}

const UNDEFINED = Uint8Array.of(0xc7, 0, EXT.undefined);
const OBJECT = 0x7b;
/** An encoder that a value made larger than this is not kept: its buffer would stay. */
const KEPT_BYTES = 2 * LIMITS.frameBytes;

/** `{` starts JSON; no msgpack message does, as it would be the number 123. */
export const isJson = (payload: Uint8Array): boolean => payload[0] === OBJECT;

/**
 * The codec of one node or client: msgpack with one encoder and reader for its life, and JSON for the public edge. Beside plain
 * data it carries refs (live again on arrival), {@link NexaError} and, as a whole message, undefined.
 */
export function createCodec(options: CodecOptions = {}): MessageCodec {
  const extensionCodec: ExtensionCodecType<undefined> = {
    tryToEncode: (value) => {
      if (Array.isArray(value)) return null;
      if (isRef(value as object)) return new ExtData(EXT.ref, Buffer.from((value as { toJSON(): string }).toJSON()));
      return value instanceof NexaError ? new ExtData(EXT.error, encoder.encode(value.toJSON())) : null;
    },
    decode: () => undefined,
  };
  let encoder = createEncoder(extensionCodec);
  const reader = new MsgpackReader(options.refOf ?? ((address) => address));
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  const encodeShared = (value: unknown, mostBytes: number = LIMITS.frameBytes): Uint8Array => {
    if (value === undefined) return UNDEFINED;
    const fault = faultOf(value, 'msgpack', mostBytes);
    if (fault !== undefined) throw asError(fault);
    const encoded = encoder.encodeSharedRef(value);
    if (encoded.length > KEPT_BYTES) encoder = createEncoder(extensionCodec);
    return fitting(encoded, mostBytes);
  };
  return {
    encodeShared,
    encode: (value, mostBytes) => encodeShared(value, mostBytes).slice(),
    decode: (payload, mostBytes) => reader.read(payload, mostBytes),
    encodeJson: (value) => {
      const fault = faultOf(value, 'json');
      if (fault !== undefined) throw asError(fault);
      return fitting(Buffer.from(JSON.stringify(value) ?? 'null'));
    },
    decodeJson: (payload) => {
      scanJson(payload);
      let value: unknown;
      try {
        value = JSON.parse(utf8.decode(payload));
      } catch (cause) {
        throw invalid(cause);
      }
      const fault = faultOf(value, 'json');
      if (fault !== undefined) throw asError(fault, 'invalid-message');
      return value;
    },
  };
}

const fitting = (payload: Uint8Array, mostBytes: number = LIMITS.frameBytes): Uint8Array => {
  if (payload.length <= mostBytes) return payload;
  throw new NexaError('payload-too-large', `the message has ${payload.length} bytes; ${mostBytes} are allowed`, {
    fix: 'Send large content in parts, or send where it is stored.',
  });
};

const invalid = (cause: unknown): NexaError =>
  new NexaError('invalid-message', `not a message: ${cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable'}`, { cause });

/** Depth and count of a JSON text before it is parsed into something larger than itself. */
function scanJson(payload: Uint8Array): void {
  if (payload.length > LIMITS.frameBytes) throw invalid(new Error(`${payload.length} bytes; ${LIMITS.frameBytes} are allowed`));
  let depth = 0;
  let values = 1;
  let inText = false;
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at];
    if (inText) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x2c) values++;
    else if (byte === OBJECT || byte === 0x5b) {
      values++;
      if (++depth > LIMITS.depth) throw invalid(new Error(`more than ${LIMITS.depth} levels deep`));
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  if (values > 2 * LIMITS.values) throw invalid(new Error(`more than ${LIMITS.values} values`));
}
