import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Subject } from '../../src/ports/transport.ts';
import { edgeWorld, names } from './world.ts';

const text = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8');
const requests = [...text.matchAll(/```json request (\S+)\n(.*)\n```/g)].map(([, subject, body]) => ({
  subject: subject as string,
  body: body as string,
}));

test('docs/messages.md shows every subject', () => {
  expect(new Set(requests.map(({ subject }) => subject))).toEqual(
    new Set(['spawn', 'agent.counter.alice', 'agents', 'ctl', 'ctl.n1', 'ctl.n1.launcher']),
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
