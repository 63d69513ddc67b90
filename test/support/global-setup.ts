import type { TestProject } from 'vitest/node';
import { toNexaError } from '../../src/errors.ts';
import { obtainNatsServer } from '../../src/nats-server/obtain.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The nats-server for the tests, or why there is none: then only the tests that need it fail. */
    readonly natsServer: { readonly path: string; readonly version: string } | { readonly missing: string };
  }
}

/** Makes sure once, before any test, that there is a nats-server; the first run on a Debian machine fetches it. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide('natsServer', await natsServer().catch((error: unknown) => ({ missing: describe(error) })));
}

async function natsServer() {
  let shown = '';
  const { binary } = await obtainNatsServer({
    env: process.env,
    replicated: true,
    onProgress: ({ step }) => {
      if (step !== shown) process.stderr.write(shown === '' ? `nats-server for the tests: ${step}` : `, ${step}`);
      shown = step;
    },
  }).finally(() => shown !== '' && process.stderr.write('\n'));
  return { path: binary.path, version: binary.version };
}

const describe = (thrown: unknown) => {
  const error = toNexaError(thrown, 'unavailable');
  return `${error.message}${error.fix === undefined ? '' : `\n${error.fix}`}`;
};
