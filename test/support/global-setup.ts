import type { TestProject } from 'vitest/node';
import { toNexaError } from '../../src/errors.ts';
import { fetchNatsServer } from '../../src/nats-server/fetch.ts';
import { explicitRefused, findNatsServer } from '../../src/nats-server/find.ts';

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
  const { binary, candidates } = await findNatsServer({ env: process.env, replicated: true });
  if (binary !== undefined) return { path: binary.path, version: binary.version };
  const explicit = candidates.find(({ source }) => source === 'NEXA_NATS_SERVER');
  if (explicit !== undefined) throw explicitRefused(explicit);
  let shown = '';
  const fetched = await fetchNatsServer({
    env: process.env,
    onProgress: ({ step }) => {
      if (step !== shown) process.stderr.write(shown === '' ? `nats-server for the tests: ${step}` : `, ${step}`);
      shown = step;
    },
  }).finally(() => process.stderr.write('\n'));
  return { path: fetched.path, version: fetched.version };
}

const describe = (thrown: unknown) => {
  const error = toNexaError(thrown, 'unavailable');
  return `${error.message}${error.fix === undefined ? '' : `\n${error.fix}`}`;
};
