import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { answersWithStream } from '../../src/actor/stream/streams.ts';
import { clientInbox } from '../../src/cluster/subject.ts';
import type { Subject } from '../../src/ports/transport.ts';
import { edgeWorld, names } from './world.ts';

const text = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8');
const requests = [...text.matchAll(/```json request (\S+)\n(.*)\n```/g)].map(([, subject, body]) => ({
  subject: subject as string,
  body: body as string,
}));

test('docs/messages.md shows every subject', () => {
  expect(new Set(requests.map(({ subject }) => subject))).toEqual(
    new Set(['spawn', 'agent.counter.alice', 'durable.counter.alice', 'agents', 'connect', 'services', 'ctl', 'ctl.n1', 'ctl.n1.launcher']),
  );
});

test.each(requests.filter(({ subject }) => !subject.endsWith('launcher')))(
  'docs/messages.md: $subject takes $body',
  async ({ subject, body }) => {
    const { requestJson } = edgeWorld();
    expect(await requestJson(`${names.prefix}.${subject}` as Subject, JSON.parse(body))).toMatchObject({ ok: true });
  },
);

test('docs/messages.md: every answer is one', () => {
  const answers = [...text.matchAll(/```json(?: answer)?\n([\s\S]*?)\n```/g)].flatMap(([, block]) => (block as string).split('\n'));
  expect(answers.length).toBeGreaterThan(5);
  for (const answer of answers) {
    const { ok, error } = JSON.parse(answer) as { readonly ok: boolean; readonly error?: { readonly code: string } };
    expect(ok ? error : typeof error?.code).toBe(ok ? undefined : 'string');
  }
});

test('docs/messages.md: the stream is answered as it says, and hears its reader where it says', async () => {
  const [, body, shown] = /```json stream agent\.writer\.anna\n(.*)\n```\n```json answer\n([\s\S]*?)\n```/.exec(text) as RegExpExecArray;
  const [pull, cancel] = [...text.matchAll(/```json flow flow\.n1\n(.*)\n```/g)].map(([, said]) => JSON.parse(said as string) as object);
  const answered: string[] = [];
  const { network, clock } = edgeWorld({
    ask: async () => {
      throw answersWithStream({ command: 'writer/write' });
    },
    stream: async function* (_type, _id, command, _options, signal) {
      yield { text: (command as { readonly prompt: string }).prompt };
      yield { text: ' upon' };
      if (answered.includes('again')) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  const { transport } = network.connect('reader');
  const inbox = clientInbox('reader');
  let flow = '';
  transport.subscribe(inbox.all, ({ payload, headers }) => {
    answered.push(Buffer.from(payload).toString());
    flow = headers.get('Nexa-Flow') ?? flow;
  });
  const publish = async (subject: string, message: object, reply: Subject) => {
    transport.publish(subject as Subject, Buffer.from(JSON.stringify(message)), { reply });
    await clock.advance(10);
  };
  await publish(`${names.prefix}.agent.writer.anna`, JSON.parse(body as string), inbox.reply('a'));
  expect(answered.map((answer) => JSON.parse(answer))).toEqual((shown as string).split('\n').map((line) => JSON.parse(line)));
  answered.splice(0, answered.length, 'again');
  await publish(`${names.prefix}.agent.writer.anna`, JSON.parse(body as string), inbox.reply('b'));
  await publish(flow, pull as object, inbox.reply('b'));
  expect(answered).toHaveLength(3);
  await publish(flow, cancel as object, inbox.reply('b'));
  expect(JSON.parse(answered.at(-1) as string)).toMatchObject({ ok: false, error: { code: 'cancelled' } });
});
