import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporary } from './program.ts';
import { built, eventually, type LiveCluster, liveCluster, processesOf, report } from './support.ts';

let live: LiveCluster;
let folder: Awaited<ReturnType<typeof temporary>>;
beforeAll(async () => {
  live = await liveCluster();
  folder = await temporary();
  await mkdir(join(folder.path, 'bin'));
  const nexa = join(folder.path, 'bin/nexa');
  await writeFile(nexa, `#!/bin/sh\nexec ${process.execPath} ${built('nexa')} "$@"\n`);
  await chmod(nexa, 0o755);
}, 90_000);
afterAll(async () => {
  // Those that ask the cluster in the background end by themselves.
  await eventually('nobody asks any more', 60_000, () => processesOf(join(folder.path, 'cache')).length === 0);
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const env = (more: object = {}): NodeJS.ProcessEnv => ({
  PATH: `${join(folder.path, 'bin')}:${process.env.PATH}`,
  XDG_CACHE_HOME: join(folder.path, 'cache'),
  NEXA_NATS_URL: live.urls.join(','),
  NEXA_CLUSTER: live.cluster,
  ...more,
});
const bash = (script: string, more: object = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile('bash', ['--norc', '-c', script], { cwd: folder.path, env: env(more), timeout: 60_000 }, (error, stdout, stderr) =>
      error === null && stderr === '' ? resolve(stdout) : reject(error ?? new Error(stderr)),
    );
  });
/** What bash would offer with the cursor behind the last of these words. */
const offered = async (words: readonly string[], more: object = {}): Promise<readonly string[]> => {
  const script = `source <(nexa completion bash); COMP_WORDS=(nexa ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length};
    _nexa nexa; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return (await bash(script, more)).split('\n').filter((line) => line !== '');
};

test('bash completes commands, options and the names that live in the cluster', async () => {
  for (const id of ['alice', 'x $(touch owned) y'])
    expect(await live.client.insist('spawn', { type: 'counter', id })).toMatchObject({ ok: true });
  expect(await bash('source <(nexa completion bash); complete -p nexa')).toBe('complete -o default -F _nexa nexa\n');
  expect(await offered(['no'])).toEqual(['node', 'nodes']);
  expect(await offered(['node', '--wor'])).toEqual(['--workers']);
  // Names that a shell would act on are never offered.
  await eventually('the agent is offered', 60_000, async () => (await offered(['ask', ''])).includes('counter/alice'));
  expect(await offered(['ask', ''])).toEqual(['counter/alice']);
  expect((await offered(['tree', ''])).toSorted()).toEqual(['n1', 'n2', 'n3']);
  expect(await offered(['spawn', 'co'])).toEqual(['counter']);
  expect(await offered(['ps', '-o', ''])).toEqual(['table', 'json', 'yaml']);
});

test('a cluster that is not there delays a key by no more than its share', async () => {
  const nowhere = { NEXA_NATS_URL: 'nats://127.0.0.1:1' };
  const took = async (more: object): Promise<number> => {
    const fromMs = performance.now();
    await bash(`nexa complete -- ask ''`, more);
    return Math.round(performance.now() - fromMs);
  };
  report(`completion: ${await took({})} ms with names at hand, ${await took(nowhere)} ms without a cluster`);
  expect(await offered(['ask', ''], nowhere)).toEqual([]);
  expect(await offered(['ask', '--t'], nowhere)).toEqual(['--timeout']);
});
