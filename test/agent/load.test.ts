import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as check from '../../src/agent/check.ts';
import * as command from '../../src/agent/command.ts';
import * as define from '../../src/agent/define.ts';
import { loadAgents } from '../../src/agent/load.ts';
import * as refTo from '../../src/agent/ref-to.ts';
import type { NexaError } from '../../src/errors.ts';

const nexa = { ...check, ...command, ...define, ...refTo };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-load-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
const load = async (files: Readonly<Record<string, string>>, at = folder) => {
  await write(files);
  return (await loadAgents(at, { nexa })).map((definition) => definition.type);
};
const refusal = async (files: Readonly<Record<string, string>>, at = folder): Promise<NexaError> =>
  load(files, at).then(
    () => {
      throw new Error('it loaded');
    },
    (error) => error,
  );
const agent = (type: string, name = 'agent') => `
import { command, defineAgent } from 'nexa';
import { z } from 'zod';
export const ${name} = defineAgent({ type: '${type}', version: 1, commands: { get: command({}, { reply: z.object({ n: z.int() }) }) }, state: z.object({ n: z.int() }), initial: { n: 0 } })
  .handle({ get: ({ state }) => ({ reply: state }) });
`;

test('TypeScript, JavaScript and subfolders load without a package.json or an installed copy', async () => {
  const types = await load({
    'a.ts': `${agent('typed')}\ntype Unused = { readonly x: number };\nexport const other: Unused = { x: 1 };`,
    'b.mjs': `await Promise.resolve();\n${agent('esm')}`,
    'c.js': `${agent('plain')}\nexport default agent;`,
    'ca.cjs': `const { defineAgent } = require('nexa'); const { z } = require('zod');
module.exports = defineAgent({ type: 'whole', version: 1, commands: {}, state: z.null(), initial: null }).handle({});`,
    'd.cjs': `const { defineAgent } = require('nexa'); const { z } = require('zod');
exports.agent = defineAgent({ type: 'common', version: 1, commands: {}, state: z.null(), initial: null }).handle({});`,
    'bank/protocol.ts': `import { z } from 'zod'; import { command, defineProtocol } from 'nexa';
export const account = defineProtocol({ type: 'account', version: 1, commands: { get: command({}, { reply: z.int() }) } });`,
    'bank/agent.ts': `import { z } from 'zod'; import { defineAgent } from 'nexa'; import { account } from './protocol.ts';
export const accountAgent = defineAgent({ ...account, state: z.int(), initial: 0 }).handle({ get: ({ state }) => ({ reply: state }) });`,
    'bank/index.ts': `export * from './agent.ts';`,
    'notes.md': 'not a module',
    'a.test.ts': 'throw new Error("tests are not agents");',
    'types.d.ts': 'export declare const x: number;',
    'node_modules/x/index.js': 'throw new Error("not ours");',
    '.cache/x.js': 'throw new Error("not ours");',
  });
  expect(types).toEqual(['typed', 'esm', 'account', 'plain', 'whole', 'common']);
});

test('one file may be named instead of a folder', async () => {
  expect(await load({ 'a.ts': agent('alone'), 'b.ts': 'nonsense(' }, join(folder, 'a.ts'))).toEqual(['alone']);
});

test.each([
  ['does not parse', 'export const = 1;'],
  ['throws', 'throw new Error("no luck");'],
  ['throws what is no error', 'throw null;'],
  ['imports what is missing', 'import { x } from "no-such-package"; export const y = x;'],
])('a module that %s is an error that names its file', async (_what, text) => {
  const error = await refusal({ 'good.ts': agent('good'), 'x.ts': text });
  expect(error).toMatchObject({ code: 'invalid-definition', where: { file: join(folder, 'x.ts') } });
  expect(error.message).not.toContain('\n');
});

test('a definition that is refused names file, type and field', async () => {
  const text = agent('bad').replace('command({}', 'command({ at: z.date() }');
  const error = await refusal({ 'x.ts': text });
  expect(error).toMatchObject({
    code: 'invalid-definition',
    where: { file: join(folder, 'x.ts'), type: 'bad', command: 'get', field: 'at' },
  });
  expect(error.fix).toContain('epoch milliseconds');
});

test('two definitions of one type name both files', async () => {
  const error = await refusal({ 'a.ts': agent('same'), 'b.ts': agent('same') });
  expect(error).toMatchObject({
    code: 'invalid-definition',
    where: { type: 'same', file: join(folder, 'b.ts'), other: join(folder, 'a.ts') },
  });
});

test('a folder without definitions, and none at all, are errors with a fix', async () => {
  const empty = await refusal({ 'x.ts': 'export const x = 1;' });
  expect(empty).toMatchObject({ code: 'invalid-definition', where: { folder } });
  expect(empty.fix).toContain('defineAgent');
  expect(await refusal({}, join(folder, 'nowhere'))).toMatchObject({
    code: 'invalid-definition',
    where: { folder: join(folder, 'nowhere') },
  });
});
