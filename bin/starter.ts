import { basename } from 'node:path';

/** What `nexa init` writes: a configuration, an agent to start from, and the scripts that run them. Paths below the folder. */
export const starter = (options: {
  readonly folder: string;
  readonly cluster: string;
  readonly version: string;
}): Readonly<Record<string, string>> => ({
  'nexa.config.ts': `import { defineConfig } from 'nexa';

export default defineConfig({
  cluster: '${options.cluster}',
  agents: './agents',
});
`,
  'agents/greeter.ts': `import { command, defineAgent } from 'nexa';
import { z } from 'zod';

/** Greets, and remembers how often: every answered greeting is stored. */
export const greeter = defineAgent({
  type: 'greeter',
  version: 1,
  summary: 'Greets, and remembers how often.',
  commands: {
    greet: command({ name: z.string().min(1).max(100) }, { reply: z.object({ text: z.string(), greetings: z.int() }) }),
  },
  state: z.object({ greetings: z.int() }),
  initial: { greetings: 0 },
}).handle({
  greet({ state }, { name }) {
    const greetings = state.greetings + 1;
    return { state: { greetings }, reply: { text: \`Hello, \${name}!\`, greetings } };
  },
});
`,
  'package.json': `${JSON.stringify(
    {
      name: packageName(options.folder),
      private: true,
      type: 'module',
      scripts: { start: 'nexa up', node: 'nexa node', nodes: 'nexa nodes' },
      dependencies: { nexa: `^${options.version}`, zod: '^4.0.0' },
    },
    null,
    2,
  )}\n`,
});

/** The folder's name, as far as npm takes it. */
const packageName = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 100) || 'nexa-app';
