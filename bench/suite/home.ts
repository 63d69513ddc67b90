import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the project. */
export const home = dirname(fileURLToPath(import.meta.resolve('nexa/package.json')));
/** What others' libraries are installed into: they are no part of the product's own tree. */
export const peers = join(home, 'bench/peers');
/** A peer's library, as its users load it. */
export const peer = (name: string): unknown => createRequire(join(peers, 'package.json'))(name);
