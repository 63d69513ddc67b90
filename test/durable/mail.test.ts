import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { type DeadMail, decodeDead, encodeDead } from '../../src/durable/dead-mail.ts';
import { decodeMail, encodeMail, type MailRecord, replayId, validMessageId } from '../../src/durable/mail.ts';

const codec = createCodec();
const recorded = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(readFileSync(new URL(`../fixtures/records/${name}.hex`, import.meta.url), 'utf8').trim(), 'hex'));
const where = { stream: 'MAILBOX', sequence: '7' };
const mail: MailRecord = {
  messageId: 'invoice-17',
  storedAtMs: 1_700_000_000_000,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  message: { type: 'charge', cents: 100 },
};
const dead: DeadMail = {
  ...{ type: 'account', id: 'ä/b', sequence: 7, tries: 5, diedAtMs: 1_700_000_009_000 },
  error: { code: 'crashed', message: 'no such card' },
  mail: recorded('mail-1'),
};

test('a stored message is written as it was recorded, and read back', () => {
  expect(Buffer.from(encodeMail(mail, codec)).toString('hex')).toBe(Buffer.from(recorded('mail-1')).toString('hex'));
  expect(decodeMail(recorded('mail-1'), codec, where)).toEqual(mail);
  const bare = { ...mail, traceparent: undefined, messageId: replayId(9) };
  expect(decodeMail(encodeMail(bare, codec), codec, where)).toEqual(bare);
});

test('a dead message is written as it was recorded, and read back with its mail as it was', () => {
  expect(Buffer.from(encodeDead(dead, codec)).toString('hex')).toBe(Buffer.from(recorded('dead-1')).toString('hex'));
  expect(decodeDead(recorded('dead-1'), codec, where)).toEqual(dead);
});

test('what is none of them is refused by its place', () => {
  const corrupt = expect.objectContaining({ code: 'corrupt-record', where });
  const later = expect.objectContaining({ code: 'unknown-version', where });
  for (const [name, decode] of [
    ['mail-1', decodeMail],
    ['dead-1', decodeDead],
  ] as const) {
    const fields = codec.decode(recorded(name)) as unknown[];
    const read = (bytes: Uint8Array) => () => decode(bytes, codec, where);
    for (const bytes of [new Uint8Array(), Buffer.from('{"type":"add"}'), Buffer.from([0xc1]), recorded(name).subarray(0, 20)])
      expect(read(bytes), name).toThrow(corrupt);
    expect(read(codec.encode(fields.with(0, 2)))).toThrow(later);
    for (let at = 1; at < (name === 'mail-1' ? 4 : 9); at++)
      expect(read(codec.encode(fields.with(at, { x: 1 }))), `${name} ${at}`).toThrow(corrupt);
    expect(read(codec.encode(fields.slice(0, -1)))).toThrow(corrupt);
  }
});

test('a message id is one to sixty-four visible characters; that of a replay nobody can give', () => {
  for (const id of ['a', '~', 'x'.repeat(64)]) expect(validMessageId(id)).toBe(id);
  for (const id of ['', ' ', 'a b', 'x'.repeat(65), 'ä', 'a\n', 7, undefined, null, replayId(3)])
    expect(() => validMessageId(id)).toThrow(expect.objectContaining({ code: 'invalid-message' }));
});
