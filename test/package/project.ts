import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What tests of a user's programs start: none of our settings but those given, and never longer than a minute and a half. */
export function run(file: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NEXA_|VITEST|NODE_OPTIONS$)/.test(name)));
  return new Promise((resolve) => {
    execFile(
      file,
      args,
      { cwd, env: { ...inherited, NO_COLOR: '1', ...env }, timeout: 90_000, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        resolve({ exit: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
      },
    );
  });
}

/** @throws unless it ended with 0. */
export async function done(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { exit, stdout, stderr } = await run(file, args, cwd);
  if (exit !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${exit}\n${stdout}${stderr}`);
  return stdout;
}

export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** Of the tarball. */
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** An empty project with the packed package installed, as `npm install nexa zod` leaves it, and the examples of the repository. */
export async function installedProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-package-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  let files: Project['files'];
  try {
    // As `npm run build` left it: a build of our own would pull dist away from under the tests beside us.
    const packed = await done('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
    const [{ filename, ...tarball }] = JSON.parse(packed) as [{ filename: string; files: Project['files'] }];
    files = tarball.files;
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
    const ours = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const tools = [
      `zod@${ours.dependencies.zod}`,
      ...['typescript', '@types/node', 'vitest'].map((name) => `${name}@${ours.devDependencies[name]}`),
    ];
    await done('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`, ...tools], folder);
    await cp(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable'],
          types: ['node'],
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          rewriteRelativeImportExtensions: true,
          // A user's compiler reads our declarations too.
          skipLibCheck: false,
          rootDir: 'examples',
          outDir: 'out',
        },
        include: ['examples'],
      }),
    );
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, files, [Symbol.asyncDispose]: remove };
}
