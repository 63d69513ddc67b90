import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongFirst } from './test/support/long-first.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** They replace modules, compute for minutes, or ask much of the machine: each gets a process of its own. */
const ALONE = [
  'test/{docs,live,package,simulation}/**/*.test.ts',
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
      { extends: true, test: { name: 'alone', include: ALONE } },
      // Half of what these many files take is loading the same modules: one after the other in a few processes.
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false } },
    ],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // For two cores: half of the time is spent waiting for servers and processes.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['verbose'] : ['default'],
  },
});
