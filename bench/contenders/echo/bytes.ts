import { TEXT } from './echo.ts';

const template = Buffer.from(JSON.stringify({ type: 'echo', n: 12_345, text: TEXT }));
/** A question as bytes that nobody encodes or reads, but for the number at their head. */
export function question(n: number): Buffer {
  const bytes = Buffer.from(template);
  bytes.writeUInt32LE(n);
  return bytes;
}
export const numberIn = (answer: Uint8Array): number => new DataView(answer.buffer, answer.byteOffset).getUint32(0, true);
