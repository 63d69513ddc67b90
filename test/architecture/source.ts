import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const text = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every TypeScript file below these folders, as paths from the repository's root; what does not exist has none. */
export function sources(...storeys: readonly string[]): string[] {
  return storeys.flatMap((storey) => {
    if (!existsSync(join(root, storey))) return [];
    if (storey.endsWith('.ts')) return [storey];
    return readdirSync(join(root, storey), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${storey}/${path}`);
  });
}

/** Calls `look` with every node of the file; what it answers is a finding, reported with its place. */
export function findIn(path: string, look: (node: ts.Node) => string | undefined, code: string = text(path)): string[] {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const finding = look(node);
    if (finding !== undefined) found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${finding}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
