import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentModules } from '../supervisors/agent-modules.ts';

/** A folder for `nexa node --agents`. */
export interface AgentsFolder {
  readonly path: string;
  /** Idempotent. */
  remove(): Promise<void>;
}

/** Beside this file, as source and as it is built. */
const OURS = fileURLToPath(new URL(`./agents/index${extname(fileURLToPath(import.meta.url))}`, import.meta.url));

/**
 * The agents of the workloads together with those of a user, whose modules stay where they are: what is in the folder only points to them.
 * @param user a folder of modules, or one module.
 * @throws NexaError `invalid-definition` for a folder that cannot be read; nothing is left of it then.
 */
export async function agentsFolder(user?: string): Promise<AgentsFolder> {
  const root = resolve(user ?? '.');
  const modules = user === undefined ? [] : await agentModules(root);
  const path = await mkdtemp(join(tmpdir(), 'nexa-agents-'));
  // Whoever is in a hurry, as with a second Ctrl-C, waits for nothing.
  const removeNow = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', removeNow);
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    process.off('exit', removeNow);
  };
  try {
    await writeFile(join(path, 'drill.mjs'), pointer(OURS));
    for (const [at, module] of modules.entries())
      await writeFile(
        join(
          path,
          `user-${at}-${relative(root, module)
            .replaceAll(/[^A-Za-z0-9]+/g, '-')
            .slice(-100)}.mjs`,
        ),
        pointer(resolve(module)),
      );
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A module that exports what another one does, by name and by default. */
const pointer = (module: string): string => {
  const from = JSON.stringify(module);
  return `import * as all from ${from};\nexport * from ${from};\nexport default all.default;\n`;
};
