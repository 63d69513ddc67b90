import { describe, expect, it } from 'vitest';
import { type ApiAnswer, type PubAck, parseAnswer, writtenFrom } from '../../src/nats/jet-stream.ts';
import { placeOf } from '../../src/nats/ordered-consumer.ts';
import { differences, streamConfig } from '../../src/nats/store-config.ts';
import { bytes, subject } from '../support/real.ts';

const at = { store: 'S', subject: 'S.x' };
const refused = (errCode: number, description = ''): ApiAnswer<PubAck> => ({ ok: false, error: { code: 400, errCode, description } });

describe('what an answer to a compare-and-set proves', () => {
  it.each<[string, ApiAnswer<PubAck>, object]>([
    ['a sequence is success', { ok: true, value: { seq: 8 } }, { written: 'yes', revision: 8 }],
    ['a duplicate with a sequence is stored', { ok: true, value: { seq: 8, duplicate: true } }, { written: 'yes', revision: 8 }],
    ['a duplicate without one is not known', { ok: true, value: { seq: 0, duplicate: true } }, { written: 'unknown' }],
    ['a number above the expectation is a later record', refused(10_071, 'wrong last sequence: 8'), { written: 'no' }],
    ['a number below it is a stale leader', refused(10_071, 'wrong last sequence: 3'), { written: 'unknown' }],
    ['the expectation itself proves nothing', refused(10_071, 'wrong last sequence: 7'), { written: 'unknown' }],
    ['a refusal without a number proves nothing', refused(10_071, 'wrong last sequence'), { written: 'unknown' }],
    ['a write under way is not known', refused(10_164, 'wrong last sequence'), { written: 'unknown' }],
    ['a rejected duplicate is not known', refused(10_163), { written: 'unknown' }],
    ['a system without leader is not known', refused(10_008, 'JetStream system temporarily unavailable'), { written: 'unknown' }],
    ['an error without number is not known', refused(0), { written: 'unknown' }],
    ['no answer is not known', { ok: false }, { written: 'unknown' }],
  ])('%s', (_, answer, written) => {
    expect(writtenFrom(answer, 7, at)).toEqual(written);
  });

  it('says no to nothing when nothing was expected', () => {
    expect(writtenFrom(refused(10_071, 'wrong last sequence: 8'), undefined, at)).toEqual({ written: 'unknown' });
  });

  it('throws what is refused for good', () => {
    expect(() => writtenFrom(refused(10_077, 'maximum bytes exceeded'), 7, at)).toThrow(
      expect.objectContaining({ code: 'quota-exceeded', definite: true, where: at }),
    );
    expect(() => writtenFrom(refused(10_023, 'insufficient resources'), 7, at)).toThrow(
      expect.objectContaining({ code: 'quota-exceeded' }),
    );
    expect(() => writtenFrom(refused(10_058), 7, at)).toThrow(expect.objectContaining({ code: 'store-misconfigured' }));
  });

  it.each(['', 'null', '[', '7', '"text"', '{"error":{}}', '\u0000'])(
    'takes the answer %j for none or for one that proves nothing',
    (body) => {
      expect(writtenFrom(parseAnswer<PubAck>(bytes(body)), 7, at)).toEqual({ written: 'unknown' });
    },
  );
});

describe('the place of a delivered message', () => {
  it('is read from both forms of its reply subject', () => {
    const place = { streamSequence: 12, consumerSequence: 3, pending: 4 };
    expect(placeOf('$JS.ACK.S.C.1.12.3.1700000000.4')).toEqual(place);
    expect(placeOf('$JS.ACK.domain.hash.S.C.1.12.3.1700000000.4.token')).toEqual(place);
  });

  it.each(['', '$JS.ACK', '$JS.FC.S.C.1.12.3.1.4', '$JS.ACK.S.C.1.x.3.1700000000.4', '_INBOX.a.b.c.d.e.f.g.h'])(
    'is nothing in %j',
    (reply) => {
      expect(placeOf(reply)).toBeUndefined();
    },
  );
});

describe('a store’s configuration', () => {
  const wanted = streamConfig({ name: 'K', kind: 'kv', replicas: 3, firstSequence: 9 });
  it('is the layout of the NATS tools, read through the leader only', () => {
    expect(wanted).toMatchObject({
      name: 'KV_K',
      subjects: ['$KV.K.>'],
      storage: 'file',
      discard: 'new',
      max_age: 0,
      allow_direct: false,
      max_msgs_per_subject: 1,
      num_replicas: 3,
      first_seq: 9,
    });
    expect(streamConfig({ name: 'S', kind: 'stream', replicas: 1, subjects: [subject('a.>')] })).toMatchObject({
      name: 'S',
      subjects: ['a.>'],
      max_msgs_per_subject: -1,
    });
  });

  it('differs in the fields that were changed, and not in what the server leaves out or adds', () => {
    const { allow_direct, deny_delete, deny_purge, ...answered } = wanted;
    expect(differences({ ...answered, ...{ sealed: false } }, wanted)).toEqual([]);
    expect(differences({ ...answered, allow_direct: true, num_replicas: 1, subjects: ['$KV.K.>', 'x'] }, wanted).sort()).toEqual([
      'allow_direct',
      'num_replicas',
      'subjects',
    ]);
    void [allow_direct, deny_delete, deny_purge];
  });
});
