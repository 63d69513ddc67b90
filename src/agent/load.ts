import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createJiti } from 'jiti';
import * as zod from 'zod';
import { NexaError } from '../errors.ts';
import { invalid } from './check.ts';
import { type AnyAgent, isAgentDefinition } from './define.ts';

const maxFiles = 1_000;
const maxDepth = 8;
const moduleFile = /\.[cm]?[jt]s$/;
const notLoaded = /(\.d\.[cm]?ts|\.(test|spec)\.[cm]?[jt]s)$/;

async function modulesIn(folder: string, depth = 0): Promise<readonly string[]> {
  if (depth > maxDepth) throw invalid(`folders nested deeper than ${maxDepth}`, { folder }, 'Name the folder that holds the agents.');
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) found.push(...(await modulesIn(path, depth + 1)));
    else if (moduleFile.test(entry.name) && !notLoaded.test(entry.name)) found.push(path);
    if (found.length > maxFiles) throw invalid(`more than ${maxFiles} modules`, { folder }, 'Name the folder that holds the agents.');
  }
  return found;
}

/** The modules that {@link loadAgents} reads: of a folder, or the one file. @throws NexaError `invalid-definition` */
export async function modulesAt(path: string): Promise<readonly string[]> {
  try {
    return (await stat(path)).isDirectory() ? await modulesIn(path) : [path];
  } catch (cause) {
    if (cause instanceof NexaError) throw cause;
    throw invalid(`${path} cannot be read`, { folder: path }, 'Name an existing folder of agent modules.', cause);
  }
}

/** First line only: compilers add the whole source frame. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 300) ?? '';

function unloadable(file: string, error: unknown): NexaError {
  const { where, fix } = error instanceof NexaError ? error : {};
  const details = { where: { ...where, file }, cause: error, ...(fix === undefined ? {} : { fix }) };
  return new NexaError('invalid-definition', `${file} does not load: ${firstLine(error)}`, details);
}

/**
 * The agent definitions that the modules of a folder export (or of one file): TypeScript or JavaScript, anywhere on this machine,
 * without a build step or an installed copy of this package. Subfolders count; tests, `.d.ts`, `node_modules` and dot folders do not.
 *
 * `nexa` is the package's own module object, so that the users' `import … from 'nexa'` reaches the copy that runs them.
 * @throws NexaError `invalid-definition` naming the file (and the field): a module that does not load, a folder without
 *   definitions, two definitions of one type.
 */
export async function loadAgents(folder: string, options: { readonly nexa: object }): Promise<readonly AnyAgent[]> {
  const root = resolve(folder);
  // No cache on disk: a node writes nowhere but where it was told to.
  const jiti = createJiti(join(root, 'nexa-agents.js'), {
    fsCache: false,
    interopDefault: false,
    virtualModules: { nexa: options.nexa, zod },
  });
  const byType = new Map<string, { readonly definition: AnyAgent; readonly file: string }>();
  for (const file of await modulesAt(root)) {
    let exported: unknown;
    try {
      exported = await jiti.import(file);
    } catch (error) {
      throw unloadable(file, error);
    }
    if (typeof exported !== 'object' || exported === null) continue;
    for (const definition of [exported, ...Object.values(exported)].filter(isAgentDefinition)) {
      const other = byType.get(definition.type);
      if (other === undefined) byType.set(definition.type, { definition, file });
      else if (other.definition !== definition) {
        throw invalid(`is defined twice, in ${other.file} and ${file}`, { type: definition.type, file, other: other.file }, 'Rename one.');
      }
    }
  }
  if (byType.size === 0) {
    throw invalid(
      `${root} exports no agent definition`,
      { folder: root },
      'Export what defineAgent(…).handle(…) returns from a module in it.',
    );
  }
  return [...byType.values()].map(({ definition }) => definition);
}
