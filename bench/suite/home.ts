import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the project. */
export const home = dirname(fileURLToPath(import.meta.resolve('nexa/package.json')));
/** What others' libraries are installed into: they are no part of the product's own tree. */
export const peers = join(home, 'bench/peers');
/** A peer's library, as its users load it; when it is used, for a clone has none before the first run. */
export const peer = (name: string): unknown => createRequire(join(peers, 'package.json'))(name);

/** Goes with all that is in it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'nexa-bench-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
