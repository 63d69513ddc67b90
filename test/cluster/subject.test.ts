import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentKey,
  clientInbox,
  decodeId,
  encodeId,
  isSafeReply,
  parseAgentKey,
  parseReminderKey,
  reminderKey,
  subjects,
  validCluster,
  validNode,
} from '../../src/cluster/subject.ts';
import { NexaError } from '../../src/errors.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof NexaError ? error.code : 'something else';
  }
  return 'nothing';
};
const anyId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
  fc.string({ minLength: 1, maxLength: 140 }),
  fc.constantFrom(
    'a b',
    'a\tb',
    'x\r\nPUB evil 3\r\n',
    '*',
    '>',
    'a.*',
    '.',
    '..',
    '$SYS.>',
    '_INBOX.>',
    '\0',
    '🙂',
    '\u00e9',
    'e\u0301',
    '%2E',
    '=YQ',
    '=',
    'A',
    'a',
    'sys',
  ),
);
const encodable = anyId.filter((id) => codeOf(() => encodeId(id)) === 'nothing');
const TOKEN = /^[A-Za-z0-9_=-]{1,255}$/;

describe('ids', () => {
  test('every id comes back exactly as given, and its token is safe in a subject and a key', () => {
    fc.assert(
      fc.property(encodable, (id) => {
        const token = encodeId(id);
        expect(token).toMatch(TOKEN);
        expect(decodeId(token)).toBe(id);
      }),
      { numRuns: 1_000 },
    );
  });

  test('two different ids never share a token', () => {
    fc.assert(
      fc.property(encodable, encodable, (a, b) => (encodeId(a) === encodeId(b)) === (a === b)),
      { numRuns: 1_000 },
    );
    expect(encodeId('\u00e9')).not.toBe(encodeId('e\u0301'));
    expect(encodeId('=YQ')).not.toBe(encodeId('a'));
  });

  test('a token that encodeId would not write is refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 300, unit: 'binary' }),
          fc.base64String({ maxLength: 40 }).map((text) => `=${text}`),
        ),
        (token) => {
          const id = codeOf(() => decodeId(token)) === 'nothing' ? decodeId(token) : undefined;
          if (id !== undefined) expect(encodeId(id)).toBe(token);
        },
      ),
      { numRuns: 1_000 },
    );
    for (const token of ['', '=', '=YQ', '=YWI', '=YQ==', '=w6k=', '=/w', '=_w', '=7aCA', 'a.b', 'a b', `=${'A'.repeat(300)}`]) {
      expect(
        codeOf(() => decodeId(token)),
        token,
      ).toBe('bad-id');
    }
  });

  test('an empty id, half a surrogate pair and an id too long are refused', () => {
    for (const id of ['', '\ud800', 'a\udc00', 'x'.repeat(10_000), 'é'.repeat(96), 'a'.repeat(191)])
      expect(codeOf(() => encodeId(id))).toBe('bad-id');
    expect(encodeId('a'.repeat(128))).toBe('a'.repeat(128));
    expect(encodeId('a'.repeat(190)).length).toBe(255);
  });
});

describe('names', () => {
  const s = subjects('test-1');

  test('a cluster, node or type with anything but letters, digits, _ and - is refused', () => {
    for (const name of ['', 'a b', 'a.b', '*', '>', 'a\r\nb', 'é', 'x'.repeat(65)]) {
      expect(codeOf(() => validCluster(name))).toBe('bad-id');
      expect(codeOf(() => validNode(name))).toBe('bad-id');
      expect(codeOf(() => agentKey(name, 'x'))).toBe('bad-id');
      expect(codeOf(() => s.ctlNode(name))).toBe('bad-id');
      expect(codeOf(() => s.event(name))).toBe('bad-id');
      expect(codeOf(() => s.events(name))).toBe('bad-id');
      expect(codeOf(() => s.events('n1', name))).toBe('bad-id');
    }
    expect(codeOf(() => validCluster('x'.repeat(33)))).toBe('bad-id');
    expect(codeOf(() => clientInbox('a.b'))).toBe('bad-id');
    for (const incarnation of [0, -1, 1.5, Number.NaN, 2 ** 60]) expect(codeOf(() => s.node('n1', incarnation))).toBe('bad-id');
  });

  test('the subjects are those of the design', () => {
    expect(s.node('n1', 7)).toBe('nexa.test-1.v1.node.n1.7');
    expect(s.replies('n1', 7).all).toBe('nexa.test-1.v1.reply.n1.7.*');
    expect(s.replies('n1', 7).reply('3')).toBe('nexa.test-1.v1.reply.n1.7.3');
    expect(s.spawn).toBe('nexa.test-1.v1.spawn');
    expect(s.agent('counter', 'a b')).toBe('nexa.test-1.v1.agent.counter.=YSBi');
    expect(s.agentAll).toBe('nexa.test-1.v1.agent.*.*');
    expect(s.events('n1', 'moved')).toBe('nexa.test-1.v1.events.n1.moved');
    expect(s.events(undefined, 'moved')).toBe('nexa.test-1.v1.events.*.moved');
    expect(s.events()).toBe('nexa.test-1.v1.events.*.*');
    expect(s.launcher('n1')).toBe('nexa.test-1.v1.ctl.n1.launcher');
    expect(s.record('journal', 'counter', 'x')).toBe('nexa.test-1.v1.journal.counter.x');
    expect(s.recordAll('mailbox')).toBe('nexa.test-1.v1.mailbox.>');
    expect(s.store('AGENTS')).toBe('nexa_test-1_AGENTS');
    expect(clientInbox('r').reply('1')).toBe('_INBOX.r.1');
  });

  test('agent subjects and keys come back as type and id', () => {
    fc.assert(
      fc.property(encodable, encodable, (id, name) => {
        expect(s.parseAgent(s.agent('counter', id))).toEqual({ type: 'counter', id });
        expect(s.parseAgent(s.durable('counter', id))).toEqual({ type: 'counter', id });
        expect(parseAgentKey(agentKey('counter', id))).toEqual({ type: 'counter', id });
        expect(parseReminderKey(reminderKey('counter', id, name))).toEqual({ type: 'counter', id, name });
      }),
    );
    for (const text of [
      '',
      s.spawn,
      `${s.prefix}.agent.counter`,
      `${s.prefix}.agent.counter.a.b`,
      `${s.prefix}.agent..a`,
      'nexa.other.v1.agent.counter.a',
    ]) {
      expect(codeOf(() => s.parseAgent(text))).toBe('bad-id');
    }
  });
});

describe('reply subjects of others', () => {
  test('an ordinary inbox is answered', () => {
    for (const reply of ['_INBOX.abc.1', 'my.service.reply', 'nexaish.x']) expect(isSafeReply(reply)).toBe(true);
  });

  test('the server, a cluster, wildcards, white space, control characters and long ones are not', () => {
    const unsafe = [
      '',
      '$JS.API.STREAM.DELETE.x',
      '$SYS.a',
      'nexa',
      'nexa.test.v1.node.n1.7',
      'a.*',
      'a.>',
      'a b',
      'a\r\nPUB x 0\r\n',
      'a\0',
      'a..b',
      '.a',
      'a.',
      'é'.repeat(128),
      'x'.repeat(256),
    ];
    for (const reply of unsafe) expect(isSafeReply(reply), JSON.stringify(reply)).toBe(false);
  });

  test('what passes is one well-formed subject, whatever came in', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40, unit: 'binary' }), (reply) => !isSafeReply(reply) || /^[^\s*>$][^\s*>]*$/u.test(reply)),
      { numRuns: 1_000 },
    );
  });
});
