import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NexaError } from '../../../src/errors.ts';

/** The built programs that a drill runs, whether this file itself was built or not. @throws NexaError `unavailable`. */
export function builtPrograms(): { readonly nexa: string; readonly stage: string } {
  const root = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
  const [nexa = '', stage = ''] = ['bin/nexa.js', 'chaos/worlds/processes/stage/main.js'].map((path) => fileURLToPath(new URL(path, root)));
  for (const path of [nexa, stage])
    if (!existsSync(path))
      throw new NexaError('unavailable', `there is no ${path}`, {
        retryable: false,
        fix: 'Run `npm run build`: drills run the built programs.',
      });
  return { nexa, stage };
}
