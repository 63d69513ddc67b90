import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as ICruiseOptions['ruleSet'] & {
  readonly options: ICruiseOptions;
};
const storeys = ['index.ts', 'src', 'actors', 'supervisors', 'chaos', 'bin', 'examples', 'bench'];
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function violations(baseDir: string): Promise<string[]> {
  const present = storeys.filter((storey) => existsSync(join(baseDir, storey)));
  const { output } = await cruise(present, { ...config.options, baseDir, ruleSet: config, validate: true });
  return (output as ICruiseResult).summary.violations.map((each) => `${each.rule.name}: ${each.from} → ${each.to}`);
}

/** A tree of its own, so that a rule is seen to bite. */
async function violationsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nexa-layers-'));
  folders.push(folder);
  writeFileSync(join(folder, 'tsconfig.json'), '{}');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return violations(folder);
}

// It reads every file: a busy machine takes its time.
test('everybody imports only what the table allows', { timeout: 180_000 }, async () => {
  expect(await violations(root)).toEqual([]);
});

const one = 'export const x = 1;';
const x = (path: string): string => `import { x } from '${path}'; export const y = x;`;
test.each([
  ['actor-knows-only-actors', 'src/actor/ref.ts', '../cluster/wire.ts', 'src/cluster/wire.ts'],
  ['actor-names-what-a-context-and-an-event-show', 'src/actor/context.ts', '../agent/define.ts', 'src/agent/define.ts'],
  ['ports-are-contracts', 'src/ports/kv.ts', '../actor/ref.ts', 'src/actor/ref.ts'],
  ['protocols-run-on-ports', 'src/durable/journal.ts', '../memory/kv.ts', 'src/memory/kv.ts'],
  ['cluster-and-durable-know-no-agent-type', 'src/cluster/claim.ts', '../agent/host/activate.ts', 'src/agent/host/activate.ts'],
  ['edge-is-handed-its-handlers', 'src/edge/spawn.ts', '../agent/host/activate.ts', 'src/agent/host/activate.ts'],
  ['the-engine-turns-cells-only', 'src/engine/nact/queue.ts', '../../agent/define.ts', 'src/agent/define.ts'],
  ['parts-of-ports-stand-alone', 'src/nats/kv.ts', '../memory/kv.ts', 'src/memory/kv.ts'],
  ['kernel-looks-down', 'src/client.ts', '../supervisors/node.ts', 'supervisors/node.ts'],
  ['actors-look-down', 'actors/gateway/gateway.ts', '../../supervisors/node.ts', 'supervisors/node.ts'],
  ['actors-talk-through-protocols', 'actors/gateway/gateway.ts', '../session/session.ts', 'actors/session/session.ts'],
  ['actors/builtin-talk-through-protocols', 'actors/builtin/echo/echo.ts', '../counter/counter.ts', 'actors/builtin/counter/counter.ts'],
  ['supervisors-look-down', 'supervisors/node.ts', '../index.ts', 'index.ts'],
  ['supervisors-enter-actors-by-the-door', 'supervisors/node.ts', '../actors/gateway/gateway.ts', 'actors/gateway/gateway.ts'],
  ['chaos-looks-down', 'chaos/world.ts', '../bin/nexa.ts', 'bin/nexa.ts'],
  ['bin-uses-doors', 'bin/commands/ps.ts', '../../src/cluster/subject.ts', 'src/cluster/subject.ts'],
  ['chaos-uses-doors', 'chaos/world.ts', '../src/cluster/judge.ts', 'src/cluster/judge.ts'],
  ['bin-enters-chaos-by-the-door', 'bin/commands/chaos.ts', '../../chaos/world.ts', 'chaos/world.ts'],
  ['users-import-the-package-by-name', 'examples/counter.ts', '../src/agent/define.ts', 'src/agent/define.ts'],
  ['nothing-imports-tests', 'src/client.ts', '../test/support.ts', 'test/support.ts'],
])('%s', async (rule, from, path, to) => {
  expect(await violationsOf({ [from]: x(path), [to]: one })).toEqual([`${rule}: ${from} → ${to}`]);
});

test.each([
  ['only-one-door-to-nats', 'src/client.ts', 'nats'],
  ['only-one-door-to-nact', 'src/actor-system.ts', 'nact/lib/actor.js'],
  ['only-one-door-to-pino', 'supervisors/node.ts', 'pino'],
  ['only-one-door-to-tsyringe', 'supervisors/node.ts', 'reflect-metadata'],
  ['only-one-door-to-zod', 'src/client.ts', 'zod'],
  ['only-one-door-to-msgpack', 'src/cluster/wire.ts', '@msgpack/msgpack'],
  ['only-one-door-to-jiti', 'src/agent/define.ts', 'jiti'],
  ['only-one-door-to-the-terminal', 'supervisors/node.ts', 'picocolors'],
  ['kernel-needs-no-package', 'src/actor/ref.ts', 'lodash'],
  ['kernel-does-no-io', 'src/durable/journal.ts', 'node:fs'],
  ['kernel-does-no-io', 'src/edge/decode.ts', 'node:timers/promises'],
])('%s', async (rule, from, name) => {
  const found = await violationsOf({ [from]: x(name) });
  expect(found.map((each) => each.split(' → ')[0])).toContain(`${rule}: ${from}`);
});

test('two files that run each other are a cycle, two that name each other’s types are not', async () => {
  const types = (path: string) => `import type { y } from '${path}'; export const x = 1; export type z = typeof y;`;
  expect(
    await violationsOf({
      'src/nats/a.ts': x('./b.ts'),
      'src/nats/b.ts': `${one} ${x('./a.ts').replace('{ x }', '{ y as z }').replace('= x', '= z')}`,
    }),
  ).not.toEqual([]);
  expect(await violationsOf({ 'src/nats/a.ts': x('./b.ts'), 'src/nats/b.ts': types('./a.ts') })).toEqual([]);
});

test('an event may name a member’s type', async () => {
  expect(
    await violationsOf({
      'src/actor/events.ts': `import type { x } from '../cluster/member.ts'; export type y = typeof x;`,
      'src/cluster/member.ts': one,
    }),
  ).toEqual([]);
});
