/** Bytes of one message body and back. @throws NexaError `not-encodable`, `invalid-message` (depth, counts, size, UTF-8). */
export interface Codec {
  encode(value: unknown): Uint8Array;
  decode(payload: Uint8Array): unknown;
}
