import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DRILL_AGENTS } from '../../chaos/agents/index.ts';
import { agentsFolder } from '../../chaos/agents-folder.ts';
import * as nexa from '../../index.ts';
import { loadAgents } from '../../src/agent/load.ts';

let user: string;
beforeAll(async () => {
  user = await mkdtemp(join(tmpdir(), 'nexa-user-'));
});
afterAll(() => rm(user, { recursive: true, force: true }));

const typesIn = async (path: string): Promise<readonly string[]> => (await loadAgents(path, { nexa })).map(({ type }) => type).sort();
const ours = DRILL_AGENTS.map(({ type }) => type).sort();
const agent = (type: string) => `
import { command, defineAgent } from 'nexa';
import { z } from 'zod';
import { word } from '${type === 'inner' ? '..' : '.'}/word.ts';
const agent = defineAgent({ type: '${type}', version: 1, commands: { say: command({}, { reply: z.string() }) }, state: z.null(), initial: null })
  .handle({ say: () => ({ reply: word }) });
`;

test('a node finds the agents of the workloads in it, and nothing of it stays', async () => {
  const folder = await agentsFolder();
  expect(await typesIn(folder.path)).toEqual(ours);
  await folder.remove();
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

test('it has those of a user, too, however they are exported and wherever they look for each other', async () => {
  await mkdir(join(user, 'more'));
  await writeFile(join(user, 'word.ts'), "export const word = 'hello';");
  await writeFile(join(user, 'outer.ts'), `${agent('outer')} export { agent };`);
  await writeFile(join(user, 'more', 'inner.ts'), `${agent('inner')} export default agent;`);
  await writeFile(join(user, 'more', 'inner.test.ts'), 'throw new Error("a test is no agent")');
  const folder = await agentsFolder(user);
  try {
    expect(await typesIn(folder.path)).toEqual([...ours, 'inner', 'outer']);
  } finally {
    await folder.remove();
  }
  const one = await agentsFolder(join(user, 'outer.ts'));
  expect(await typesIn(one.path)).toEqual([...ours, 'outer']);
  await one.remove();
});

test('as it is built, it works with the package as it is built', async () => {
  const program = `
    import { agentsFolder } from './dist/chaos/agents-folder.js';
    import { loadAgents } from './dist/src/agent/load.js';
    import * as nexa from './dist/index.js';
    const folder = await agentsFolder();
    console.log(JSON.stringify((await loadAgents(folder.path, { nexa })).map(({ type }) => type).sort()));
    await folder.remove();
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd });
  expect(JSON.parse(stdout)).toEqual(ours);
});

test('a folder that is not there is a typed error, and leaves nothing', async () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = user;
  try {
    await expect(agentsFolder(join(user, 'nowhere'))).rejects.toMatchObject({ code: 'invalid-definition' });
    expect((await readdir(user)).filter((name) => name.startsWith('nexa-agents-'))).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
