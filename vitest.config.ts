import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongFirst } from './test/support/long-first.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** They have servers and processes of their own, replace modules, or compute for minutes: each gets a process of its own. */
const HEAVY = [
  'test/{bin,docs,live,nats,nats-server,package,simulation,supervisors}/**/*.test.ts',
  'test/chaos/{bites,limits,wire,workloads,worlds}/**/*.test.ts',
  'examples/**/*.test.ts',
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nexa$/, replacement: source('./index.ts') },
      { find: /^nexa\/chaos$/, replacement: source('./chaos/index.ts') },
      { find: /^nexa\/testkit$/, replacement: source('./supervisors/testkit/index.ts') },
    ],
  },
  test: {
    projects: [
      { extends: true, test: { name: 'heavy', include: HEAVY } },
      // Half of what these many short files take is loading the same modules: one after the other in a few processes.
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: HEAVY, isolate: false } },
    ],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // For two cores: most of the heavy files wait for servers and processes.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['verbose'] : ['default'],
  },
});
